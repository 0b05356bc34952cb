/** @module Verbs on data: datasets, lineage, quarantine. */
import { CliError, segment } from "../client.ts";
import { bytes, printFacts, printJson, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb, type VerbContext, type VerbOptions } from "../verb.ts";
import { eventActs } from "./dataset_events.ts";

/** A dataset as the API gives it. */
interface DatasetShape {
  name: string;
  kind: "raw" | "table";
  partitions: number;
  versions: number;
  last_known_at: string | null;
}

/** One published version as the API gives it. */
export interface VersionShape {
  id: string;
  dataset: string;
  partition: string;
  version: number;
  kind: "raw" | "table";
  known_at: string;
  sha256: string;
  rows: number | null;
  bytes: number;
  dag_id: string;
  run_id: string;
  task_id: string;
}

/** Rows of a version: values as JSON, exact ones as text. */
export interface RowsShape {
  columns: { name: string; type: string }[];
  rows: unknown[][];
}

export const datasets: Verb = {
  name: "datasets",
  summary: "List datasets, or a dataset's versions or rows; `event`, `materialize`, `waiting`",
  arguments: [
    { name: "[what]", doc: "Name of a dataset; or event, materialize, waiting" },
    { name: "[name]", doc: "The dataset of event and materialize; the DAG of waiting" },
  ],
  options: [
    { flags: "--partition <key>", doc: "Only this partition; of event, materialize: theirs" },
    { flags: "--as-of <time>", doc: "As it was known at that instant" },
    { flags: "--schemas", doc: "The schemas that it had, and what each changed" },
    { flags: "--rows <n>", doc: "Print the first rows of the newest version" },
    { flags: "--limit <n>", doc: "At most this many", default: "50" },
    { flags: "--extra <json>", doc: "Of event: what comes with it, a JSON object" },
    { flags: "--key <key>", doc: "Of event: a second event of this key is none" },
  ],
  run(context, [what, name], options) {
    const act = name === undefined && what !== "waiting" ? undefined : eventActs[what];
    if (act) return act(context, name, options);
    if (name !== undefined) {
      throw new CliError(
        `There is no \`datasets ${what} ${name}\`; of such words there are ` +
          Object.keys(eventActs).join(", "),
      );
    }
    return what === undefined ? list(context, options) : show(context, what, options);
  },
};

async function list({ api, output }: VerbContext, options: VerbOptions): Promise<number> {
  const page = await api.get<Page<"datasets", DatasetShape>>("/api/v2/datasets", {
    limit: text(options, "limit"),
  });
  printTable(output, page, page.datasets, {
    dataset: (one) => one.name,
    kind: (one) => one.kind,
    partitions: (one) => one.partitions,
    versions: (one) => one.versions,
    "last known": (one) => one.last_known_at,
  });
  return 0;
}

async function show(
  context: VerbContext,
  dataset: string,
  options: VerbOptions,
): Promise<number> {
  if (options.schemas === true) return await showSchemas(context, dataset);
  const page = await versionsOf(context.api, dataset, {
    partition: text(options, "partition"),
    as_of: text(options, "asOf"),
    limit: text(options, "limit"),
  });
  if (options.rows) return await printRows(context, page.versions[0], text(options, "rows")!);
  printTable(context.output, page, page.versions, {
    partition: (one) => one.partition,
    version: (one) => one.version,
    "known at": (one) => one.known_at,
    rows: (one) => one.rows,
    size: (one) => bytes(one.bytes),
    run: (one) => one.run_id,
    sha256: (one) => one.sha256.slice(0, 12),
  });
  return 0;
}

/** A schema that a dataset had, as the API gives it. */
interface SchemaShape {
  number: number;
  sha256: string;
  schema: { columns: unknown[] };
  since: string;
  versions: number;
  changes: {
    kind: string;
    column: string | null;
    before: string | null;
    after: string | null;
    is_breaking: boolean;
  }[];
}

async function showSchemas({ api, output }: VerbContext, dataset: string): Promise<number> {
  const page = await api.get<Page<"schemas", SchemaShape>>(
    `/api/v2/datasets/${segment(dataset)}/schemas`,
  );
  const told = (
    { kind, column, before, after, is_breaking: breaks }: SchemaShape["changes"][number],
  ) =>
    `${breaks ? "! " : ""}${kind} ${column ?? ""}${
      kind === "retyped" || kind === "key" ? ` (${before} → ${after})` : ""
    }`;
  printTable(output, page, page.schemas, {
    schema: (one) => one.number,
    since: (one) => one.since,
    versions: (one) => one.versions,
    columns: (one) => one.schema.columns.length,
    "changes (! breaks readers)": (one) => one.changes.map(told).join(", "),
    sha256: (one) => one.sha256.slice(0, 12),
  });
  return 0;
}

/** Versions of a dataset, newest first. */
export function versionsOf(
  api: VerbContext["api"],
  dataset: string,
  query: Record<string, string | undefined>,
) {
  return api.get<Page<"versions", VersionShape>>(
    `/api/v2/datasets/${segment(dataset)}/versions`,
    query,
  );
}

/** Print the first rows of a version. */
export async function printRows(
  { api, output }: VerbContext,
  version: VersionShape | undefined,
  limit: string,
): Promise<number> {
  if (!version) throw new CliError("There is no such version of the dataset yet");
  const sample = await api.get<RowsShape>(
    `/api/v2/datasets/${segment(version.dataset)}/versions/${version.id}/rows`,
    { limit },
  );
  printTable(
    output,
    sample,
    sample.rows,
    Object.fromEntries(
      sample.columns.map(({ name }, i) => [name, (row: unknown[]) => row[i]]),
    ),
  );
  return 0;
}

/** Where one value came from, as the API gives it. */
interface CellShape {
  column: string;
  value: unknown;
  source: string;
  raw_file: string;
  raw_row: number | null;
  raw_offset: number | null;
  rule: string | null;
  others: { source: string; value: unknown }[];
}

/** Lineage of a version, its columns, and cells when a key was given. */
export interface LineageShape {
  dataset: string;
  partition: string;
  version: number;
  upstream: { dataset: string; partition: string; version: number | null }[];
  downstream: { dataset: string; partition: string; version: number | null }[];
  columns: {
    column: string;
    input_dataset: string;
    input_column: string;
    transformation: string;
  }[];
  cells: CellShape[];
}

export const lineage: Verb = {
  name: "lineage",
  summary: "Say where a dataset, a column or one value came from",
  arguments: [{ name: "<dataset>", doc: "Name of the dataset" }],
  options: [
    { flags: "--column <name>", doc: "Only this column" },
    { flags: "--key <key>", doc: "One row: symbol=IBM,date=2026-01-05" },
    { flags: "--partition <key>", doc: "Of this partition; the newest by default" },
    { flags: "--as-of <time>", doc: "As it was known at that instant" },
  ],
  async run({ api, output }, [dataset], options) {
    const found = await api.get<LineageShape>(`/api/v2/lineage/${segment(dataset)}`, {
      column: text(options, "column"),
      key: text(options, "key"),
      partition: text(options, "partition"),
      as_of: text(options, "asOf"),
    });
    if (output.json) {
      printJson(output, found);
      return 0;
    }
    printLineage(output, found, options.key !== undefined);
    return 0;
  },
};

/** Print lineage for people. */
export function printLineage(
  output: Parameters<typeof printFacts>[0],
  found: LineageShape,
  cellsOnly: boolean,
): void {
  const place = (one: { dataset: string; partition: string; version: number | null }) =>
    `${one.dataset}[${one.partition}]${one.version ? ` v${one.version}` : ""}`;
  if (!cellsOnly) {
    printFacts(output, found, {
      version: place(found),
      from: found.upstream.map(place).join(", ") || "-",
      "used by": found.downstream.map(place).join(", ") || "-",
    });
    output.out("\n");
    printTable(output, found, found.columns, {
      column: (one) => one.column,
      from: (one) => `${one.input_dataset}.${one.input_column}`,
      by: (one) => one.transformation,
    });
    return;
  }
  printTable(output, found, found.cells, {
    column: (cell) => cell.column,
    value: (cell) => cell.value,
    source: (cell) => cell.source,
    "raw file": (cell) => cell.raw_file,
    row: (cell) => cell.raw_row,
    byte: (cell) => cell.raw_offset,
    rule: (cell) => cell.rule,
  });
}

/** Quarantined rows of one attempt as the API gives them. */
interface QuarantineShape {
  id: string;
  dataset: string;
  source: string;
  rows: number;
  reasons: Record<string, number>;
  run_id: string;
  task_id: string;
  created_at: string;
  is_open: boolean;
}

interface ReplayedTask {
  dag_id: string;
  dag_run_id: string;
  task_id: string;
  map_index: number;
  state: string | null;
}

interface QuarantineRowShape {
  file: string;
  row_number: number | null;
  byte_offset: number | null;
  column_name: string | null;
  rule: string;
  reason: string;
  raw: string;
}

export const quarantine: Verb = {
  name: "quarantine",
  summary: "What was refused: list it, show its rows with their reasons, replay it",
  arguments: [
    {
      name: "[action]",
      doc: "list, the default; show: its rows; replay: run again what refused it",
    },
    { name: "[id]", doc: "Id of a quarantine, for show and replay" },
  ],
  options: [
    { flags: "--dataset <name>", doc: "list: only rows that would have gone there" },
    { flags: "--open", doc: "list: without those whose task ran again since" },
    {
      flags: "--raw",
      doc: "show: rows as they are, for the role op and above; the audit log keeps it",
    },
    { flags: "--as-it-was", doc: "replay: on the run's own version of the DAG, not the newest" },
    { flags: "--dry-run", doc: "replay: only say what would run" },
    { flags: "--force", doc: "replay as it was, though on another version of Tidewheel" },
  ],
  async run({ api, output }, [action = "list", id], options) {
    if (!["list", "show", "replay"].includes(action)) {
      throw new CliError(`Cannot ${action} a quarantine: list, show or replay it`);
    }
    if (action === "list") {
      const page = await api.get<Page<"quarantines", QuarantineShape>>("/api/v2/quarantine", {
        dataset: text(options, "dataset"),
        ...(options.open === true ? { is_open: true } : {}),
      });
      printTable(output, page, page.quarantines, {
        id: (one) => one.id,
        dataset: (one) => one.dataset,
        source: (one) => one.source,
        rows: (one) => one.rows,
        reasons: (one) => Object.entries(one.reasons).map(([r, n]) => `${r} ${n}`).join(", "),
        task: (one) => one.task_id,
        at: (one) => one.created_at,
        open: (one) => one.is_open ? "yes" : "no",
      });
      return 0;
    }
    if (id === undefined) throw new CliError(`Cannot ${action} a quarantine without its id`);
    if (action === "replay") {
      const page = await api.post<Page<"task_instances", ReplayedTask>>(
        `/api/v2/quarantine/${segment(id)}/replay`,
        {
          dry_run: options.dryRun === true,
          run_on_latest_version: options.asItWas !== true,
          force: options.force === true,
        },
      );
      printTable(output, page, page.task_instances, {
        dag: (task) => task.dag_id,
        run: (task) => task.dag_run_id,
        task: (task) => task.task_id,
        index: (task) => task.map_index < 0 ? null : task.map_index,
        state: (task) => task.state,
      });
      return 0;
    }
    const page = await api.get<Page<"rows", QuarantineRowShape>>(
      `/api/v2/quarantine/${segment(id)}/${options.raw ? "raw_rows" : "rows"}`,
    );
    printTable(output, page, page.rows, {
      file: (row) => row.file,
      row: (row) => row.row_number,
      byte: (row) => row.byte_offset,
      column: (row) => row.column_name,
      rule: (row) => row.rule,
      reason: (row) => row.reason,
      raw: (row) => row.raw,
    });
    return 0;
  },
};
