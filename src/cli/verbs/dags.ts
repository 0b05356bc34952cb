/** @module Verbs on DAGs: dags, pause, unpause, backfill. */
import { CliError, segment } from "../client.ts";
import { type Output, printable, printFacts, printJson, printTable } from "../print.ts";
import type { DagShape, Page } from "../shapes.ts";
import { text, type Verb, type VerbContext } from "../verb.ts";
import { parseConf } from "./runs.ts";

/** An import error as the API gives it. */
interface ImportErrorShape {
  filename: string;
  stack_trace: string;
}

const dagArgument = { name: "<dag>", doc: "Id of the DAG" };
/** Files with an error that are shown; they are long, and what is wrong is often the same. */
const ERRORS = 50;

export const dags: Verb = {
  name: "dags",
  summary: "List DAGs, and the files that could not be imported",
  options: [{ flags: "--limit <n>", doc: "At most this many", default: "100" }],
  async run({ api, output }, _args, options) {
    const [page, errors] = await Promise.all([
      api.get<Page<"dags", DagShape>>("/api/v2/dags", { limit: text(options, "limit") }),
      api.get<Page<"import_errors", ImportErrorShape>>("/api/v2/importErrors", {
        limit: ERRORS,
        order_by: "filename",
      }),
    ]);
    if (output.json) {
      printJson(output, { ...page, import_errors: errors.import_errors });
      return 0;
    }
    printTable(output, page, page.dags, {
      dag: (dag) => dag.dag_id,
      state: stateOf,
      schedule: (dag) => dag.timetable_summary,
      "next run": (dag) => dag.next_dagrun_run_after,
      owner: (dag) => dag.owners.join(", "),
      tags: (dag) => dag.tags.map((tag) => tag.name).join(", "),
      file: (dag) => dag.fileloc,
    });
    printErrors(output, errors, page.dags);
    return 0;
  },
};

function stateOf(dag: DagShape): string {
  if (dag.is_stale) return "stale";
  if (dag.has_import_errors) return dag.is_paused ? "broken, paused" : "broken";
  return dag.is_paused ? "paused" : "active";
}

/** Each file that cannot be imported, with the place, its lines, and what runs on in spite of it. */
function printErrors(
  output: Output,
  { import_errors, total_entries }: Page<"import_errors", ImportErrorShape>,
  listed: readonly DagShape[],
): void {
  for (const { filename, stack_trace } of import_errors) {
    const title = `Cannot import ${filename}`;
    output.out(`\n${output.isTerminal ? `\x1b[31m${title}\x1b[0m` : title}\n`);
    output.out(`${printable(stack_trace)}\n`);
    const kept = listed.filter((dag) => dag.fileloc === filename && !dag.is_stale);
    if (kept.length > 0) {
      output.out(`Its last good version runs on: ${kept.map((dag) => dag.dag_id).join(", ")}\n`);
    }
  }
  const hidden = total_entries - import_errors.length;
  if (hidden > 0) output.out(`\n(${hidden} more files cannot be imported)\n`);
}

function pausing(name: string, isPaused: boolean, summary: string): Verb {
  return {
    name,
    summary,
    arguments: [dagArgument],
    async run({ api, output }, [dag]) {
      const changed = await api.patch<DagShape>(`/api/v2/dags/${segment(dag)}`, {
        is_paused: isPaused,
      });
      printFacts(output, changed, { dag: changed.dag_id, paused: changed.is_paused });
      return 0;
    },
  };
}

export const pause: Verb = pausing("pause", true, "Start no new runs and tasks of a DAG");
export const unpause: Verb = pausing("unpause", false, "Let a paused DAG go on");

/** A backfill as the API gives it. */
interface BackfillShape {
  id: number;
  dag_id: string;
  from_date: string;
  to_date: string;
  is_paused: boolean;
  max_active_runs: number;
  created_at: string;
  completed_at: string | null;
}

const LOOK_MS = 500;

export const backfill: Verb = {
  name: "backfill",
  summary: "Run a DAG for past intervals; without dates: list its backfills",
  arguments: [dagArgument],
  options: [
    { flags: "--from <time>", doc: "First logical date (ISO 8601)" },
    { flags: "--to <time>", doc: "Last logical date" },
    { flags: "--conf <json>", doc: "Parameters of every run" },
    {
      flags: "--reprocess <what>",
      doc: "What to do where a run exists: none, failed, completed",
      default: "none",
    },
    { flags: "--max-active-runs <n>", doc: "Runs at a time", default: "10" },
    { flags: "--backwards", doc: "Newest first" },
    { flags: "--dry-run", doc: "Only say which dates would run" },
    { flags: "--pause <id>", doc: "Start no further runs of a backfill" },
    { flags: "--unpause <id>", doc: "Go on with a paused backfill" },
    { flags: "--cancel <id>", doc: "End a backfill; what runs is finished" },
    { flags: "--wait", doc: "Wait for its end" },
  ],
  async run(context, [dag], options) {
    const { api, output } = context;
    for (const action of ["pause", "unpause", "cancel"]) {
      const id = text(options, action);
      if (id === undefined) continue;
      const changed = await api.put<BackfillShape>(`/api/v2/backfills/${segment(id)}/${action}`);
      printFacts(output, changed, facts(changed));
      return 0;
    }
    if (!options.from && !options.to) return await list(context, dag);
    if (!options.from || !options.to) throw new CliError("Give both --from and --to");
    const body = {
      dag_id: dag,
      from_date: options.from,
      to_date: options.to,
      run_backwards: options.backwards === true,
      dag_run_conf: parseConf(text(options, "conf")),
      reprocess_behavior: options.reprocess,
      max_active_runs: Number(options.maxActiveRuns),
    };
    if (options.dryRun) {
      const dates = await api.post<Page<"backfills", { logical_date: string }>>(
        "/api/v2/backfills/dry_run",
        body,
      );
      printTable(output, dates, dates.backfills, { "logical date": (run) => run.logical_date });
      return 0;
    }
    const made = await api.post<BackfillShape>("/api/v2/backfills", body);
    if (options.wait) return await wait(context, made);
    printFacts(output, made, facts(made));
    return 0;
  },
};

async function list({ api, output }: VerbContext, dag: string) {
  const page = await api.get<Page<"backfills", BackfillShape>>("/api/v2/backfills", {
    dag_id: dag,
  });
  printTable(output, page, page.backfills, {
    id: (one) => one.id,
    from: (one) => one.from_date,
    to: (one) => one.to_date,
    paused: (one) => one.is_paused ? "yes" : "no",
    completed: (one) => one.completed_at,
  });
  return 0;
}

async function wait({ api, output, sleep }: VerbContext, made: BackfillShape) {
  let now = made;
  while (now.completed_at === null) {
    await sleep(LOOK_MS);
    now = await api.get<BackfillShape>(`/api/v2/backfills/${now.id}`);
  }
  const failed = await api.get<{ total_entries: number }>(
    `/api/v2/dags/${segment(now.dag_id)}/dagRuns`,
    { backfill_id: now.id, state: ["failed"], limit: 1 },
  );
  printFacts(output, now, { ...facts(now), "failed runs": failed.total_entries });
  return failed.total_entries === 0 ? 0 : 1;
}

function facts(one: BackfillShape) {
  return {
    backfill: one.id,
    dag: one.dag_id,
    from: one.from_date,
    to: one.to_date,
    paused: one.is_paused,
    completed: one.completed_at,
  };
}
