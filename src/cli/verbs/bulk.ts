/** @module The verb bulk: start, cancel or clear many runs, pause many DAGs, in one call. */
import { CliError, segment } from "../client.ts";
import { type Output, printFacts, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { onLatest } from "./by_hand.ts";
import { text, type Verb, type VerbContext, type VerbOptions } from "../verb.ts";

/** A bulk job as the API gives it. */
interface BulkShape {
  id: number | null;
  key: string | null;
  action: string;
  state: string;
  created_at: string | null;
  completed_at: string | null;
  items: { total: number; planned: number; done: number; refused: number; cancelled: number };
  first: { dag_id: string; dag_run_id: string | null }[];
}

const LOOK_MS = 500;
const actions = [
  "list",
  "trigger",
  "cancel",
  "clear",
  "pause",
  "unpause",
  "show",
  "items",
  "stop",
];

export const bulk: Verb = {
  name: "bulk",
  summary: "Start, cancel or clear many runs, pause or unpause many DAGs, in one call",
  arguments: [
    { name: "[action]", doc: `${actions.join(", ")}; list by default` },
    { name: "[id]", doc: "trigger: id of the DAG; show, items, stop: id of the job" },
  ],
  options: [
    {
      flags: "--runs",
      doc: 'trigger: runs as JSON lines on standard input: {}, {"conf": …, "logical_date": …}',
    },
    { flags: "--dag <id...>", doc: "Only of these DAGs", many: true },
    { flags: "--pattern <text>", doc: "Only of DAGs with this in their ids; ~: all" },
    {
      flags: "--tag <name...>",
      doc: "pause, unpause: only DAGs with one of these tags",
      many: true,
    },
    { flags: "--state <state...>", doc: "cancel, clear: only runs in these states", many: true },
    { flags: "--from <time>", doc: "cancel, clear: only logical dates from here on" },
    { flags: "--to <time>", doc: "cancel, clear: only logical dates up to here" },
    { flags: "--only-failed", doc: "clear: only what failed of each run" },
    { flags: "--latest", doc: "clear: on the DAGs' newest versions" },
    { flags: "--as-it-was", doc: "clear: on the versions of the runs, whatever their DAGs say" },
    {
      flags: "--force",
      doc: "clear: as they were, though they ran on another version of Tidewheel",
    },
    {
      flags: "--key <key>",
      doc: "A name of your own for the request: sent again, it is done once",
    },
    { flags: "--dry-run", doc: "Only say what it would be about" },
    { flags: "--watch", doc: "Show its progress until its end" },
    { flags: "--limit <n>", doc: "list, items: at most this many", default: "50" },
  ],
  async run(context, [action = "list", id], options) {
    const { api } = context;
    if (!actions.includes(action)) {
      throw new CliError(`Cannot do "${action}" in bulk: it is one of ${actions.join(", ")}`);
    }
    if (action === "list") return await list(context, options);
    if (["show", "items", "stop"].includes(action)) {
      if (id === undefined) throw new CliError(`Cannot ${action} without the id of a bulk job`);
      const path = `/api/v2/bulk/${segment(id)}`;
      if (action === "items") return await items(context, path, options);
      const job = action === "show"
        ? await api.get<BulkShape>(path)
        : await api.put<BulkShape>(`${path}/cancel`);
      return await shown(context, job, options);
    }
    const body = action === "trigger"
      ? { dag_id: id, runs: await runsOf(context, id, options) }
      : { filter: filterOf(action, options), ...clearing(action, options) };
    const job = await api.post<BulkShape>("/api/v2/bulk", {
      action,
      ...body,
      key: text(options, "key"),
      dry_run: options.dryRun === true,
    });
    return await shown(context, job, options);
  },
};

async function runsOf(
  { readStdin }: VerbContext,
  id: string | undefined,
  options: VerbOptions,
): Promise<unknown[]> {
  if (id === undefined || options.runs !== true) {
    throw new CliError(
      "Give the id of a DAG, and --runs with runs as JSON lines on standard input",
    );
  }
  const lines = (await readStdin()).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    try {
      return JSON.parse(line);
    } catch {
      throw new CliError(`Cannot read line ${i + 1} of standard input: it is not a JSON object`);
    }
  });
}

function filterOf(action: string, options: VerbOptions) {
  const filter = { dag_ids: options.dag, dag_id_pattern: options.pattern };
  if (action === "pause" || action === "unpause") return { ...filter, tags: options.tag };
  return {
    ...filter,
    states: options.state,
    logical_date_gte: options.from,
    logical_date_lte: options.to,
  };
}

function clearing(action: string, options: VerbOptions) {
  if (action !== "clear") return {};
  return {
    only_failed: options.onlyFailed === true,
    run_on_latest_version: onLatest(options) ?? undefined,
    force: options.force === true,
  };
}

async function list({ api, output }: VerbContext, options: VerbOptions) {
  const page = await api.get<Page<"bulk", BulkShape>>("/api/v2/bulk", {
    limit: text(options, "limit"),
  });
  printTable(output, page, page.bulk, {
    id: (job) => job.id,
    action: (job) => job.action,
    state: (job) => job.state,
    total: (job) => job.items.total,
    done: (job) => job.items.done,
    refused: (job) => job.items.refused,
    key: (job) => job.key,
    created: (job) => job.created_at,
  });
  return 0;
}

async function items({ api, output }: VerbContext, path: string, options: VerbOptions) {
  const page = await api.get<
    Page<"items", { dag_id: string; dag_run_id: string; state: string; reason: string | null }>
  >(`${path}/items`, { limit: text(options, "limit"), state: options.state });
  printTable(output, page, page.items, {
    dag: (item) => item.dag_id,
    run: (item) => item.dag_run_id,
    state: (item) => item.state,
    why: (item) => item.reason,
  });
  return 0;
}

/** Show a job, until its end when asked to. Code 1: something of it was refused. */
async function shown(
  { api, output, sleep }: VerbContext,
  given: BulkShape,
  options: VerbOptions,
): Promise<number> {
  let job = given;
  let last = -1;
  while (options.watch && job.state === "running") {
    if (job.items.planned !== last && !output.json) {
      output.out(`${job.items.total - job.items.planned} of ${job.items.total}\n`);
    }
    last = job.items.planned;
    await sleep(LOOK_MS);
    job = await api.get<BulkShape>(`/api/v2/bulk/${job.id}`);
  }
  if (job.state === "dry_run") printDryRun(output, job);
  else {
    const { total, planned, done, refused, cancelled } = job.items;
    printFacts(output, job, {
      ...{ job: job.id, action: job.action, state: job.state, key: job.key },
      ...{ total, planned, done, refused, cancelled, completed: job.completed_at },
    });
  }
  return job.items.refused > 0 ? 1 : 0;
}

function printDryRun(output: Output, job: BulkShape) {
  printTable(output, job, job.first, {
    dag: (one) => one.dag_id,
    ...(job.first.some((one) => one.dag_run_id)
      ? { run: (one: { dag_run_id: unknown }) => one.dag_run_id }
      : {}),
  });
  if (!output.json) output.out(`${job.action} would be about ${job.items.total}\n`);
}
