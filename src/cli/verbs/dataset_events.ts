/** @module `datasets event`, `datasets materialize`, `datasets waiting`. */
import { CliError, segment } from "../client.ts";
import { printFacts, printTable } from "../print.ts";
import type { Page, RunShape } from "../shapes.ts";
import { text, type VerbContext, type VerbOptions } from "../verb.ts";

/** What follows the verb: of a dataset, or of a DAG. */
type Act = (
  context: VerbContext,
  name: string | undefined,
  options: VerbOptions,
) => Promise<number>;

interface AssetShape {
  id: number;
  name: string;
}

interface EventShape {
  id: number;
  name: string;
  partition_key: string | null;
  event_key: string | null;
  timestamp: string;
}

interface PartitionShape {
  dag_id: string;
  partition_key: string | null;
  events_of: string[];
  needed: number | null;
  missing: { name: string; partition_keys: string[] }[];
  why: string;
}

/** By word. */
export const eventActs: Readonly<Record<string, Act>> = { event, materialize, waiting };

async function event({ api, output }: VerbContext, name: string | undefined, options: VerbOptions) {
  const made = await api.post<EventShape>("/api/v2/assets/events", {
    name,
    partition_key: text(options, "partition") ?? null,
    event_key: text(options, "key") ?? null,
    extra: parseExtra(text(options, "extra")),
  });
  printFacts(output, made, {
    event: made.id,
    dataset: made.name,
    partition: made.partition_key,
    key: made.event_key,
    at: made.timestamp,
  });
  return 0;
}

async function materialize(
  { api, output }: VerbContext,
  name: string | undefined,
  options: VerbOptions,
) {
  const { assets } = await api.get<Page<"assets", AssetShape>>("/api/v2/assets", {
    name_prefix_pattern: name,
    only_active: false,
    limit: 1000,
  });
  const asset = assets.find((one) => one.name === name);
  if (!asset) throw new CliError(`There is no dataset "${name}", and no DAG names it`);
  const run = await api.post<RunShape>(`/api/v2/assets/${asset.id}/materialize`, {
    partition_key: text(options, "partition") ?? null,
  });
  printFacts(output, run, { dag: run.dag_id, run: run.dag_run_id, state: run.state });
  return 0;
}

async function waiting({ api, output }: VerbContext, dag: string | undefined) {
  const page = await api.get<Page<"partitions", PartitionShape>>(
    `/api/v2/dags/${segment(dag ?? "~")}/partitions`,
  );
  printTable(output, page, page.partitions, {
    dag: (one) => one.dag_id,
    partition: (one) => one.partition_key,
    events: (one) => one.events_of.length,
    needed: (one) => one.needed,
    missing: (one) =>
      one.missing.reduce((sum, { partition_keys }) => sum + partition_keys.length, 0),
    why: (one) => one.why,
  });
  return 0;
}

function parseExtra(given: string | undefined): Record<string, unknown> {
  if (given === undefined) return {};
  try {
    const parsed = JSON.parse(given);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw new CliError(`--extra must be a JSON object such as {"by":"desk"}, it is: ${given}`);
}
