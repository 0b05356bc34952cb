/** @module `tidewheel simulate`: what a DAG's schedule would run, on a clock that jumps. */
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, tableText } from "../cli/print.ts";
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { checkSchedule, type ExpandedRun, expandRuns } from "../timetable/mod.ts";
import { loadDag } from "./load_dag.ts";
import { timelineSvg } from "./timeline_svg.ts";

/** Runs that one call lists; a year of one a minute fits. */
const RUNS_MAX = 600_000;

/** What `tidewheel simulate` does. */
export async function runSimulate(
  { output }: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  const { spec } = await loadDag(file, options.dag as string | undefined);
  checkSchedule(spec.schedule, spec.start === null ? null : new Date(spec.start));
  const from = instantOf(options.from, "--from");
  const to = instantOf(options.to, "--to");
  if (to <= from) throw new AppError("INVALID", "Cannot simulate: --to is not after --from");
  if (spec.schedule.kind === "continuous" || spec.schedule.kind === "datasets") {
    throw new AppError(
      "INVALID",
      `Cannot simulate DAG "${spec.dagId}": when its runs are due hangs on what happens meanwhile`,
    );
  }
  const runs = listed(spec, from, to);
  if (typeof options.svg === "string") {
    await Deno.writeTextFile(options.svg, timelineSvg(spec, runs, { from, to }));
  }
  if (output.json) {
    printJson(output, { dag_id: spec.dagId, runs: runs.map(shown), total_entries: runs.length });
    return 0;
  }
  output.out(tableText(runs.map((run) => rowOf(spec, run)), {
    "run after": (one) => one.due,
    "local time": (one) => one.local,
    "interval begins": (one) => one.start,
    "interval ends": (one) => one.end,
    "": (one) => one.mark,
  }));
  output.out(`\n${spec.dagId}: ${runs.length} runs of ${spec.tasks.length} tasks\n`);
  return 0;
}

function instantOf(text: unknown, name: string): Date {
  const at = new Date(typeof text === "string" ? text : NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new AppError("INVALID", `Cannot simulate: ${name} must be ISO 8601, as 2026-01-05`);
}

function listed(spec: DagSpec, from: Date, to: Date): ExpandedRun[] {
  const runs: ExpandedRun[] = [];
  for (const run of expandRuns(spec, from, to)) {
    if (runs.length === RUNS_MAX) {
      throw new AppError("TOO_LARGE", `Cannot list more than ${RUNS_MAX} runs: take less time`);
    }
    runs.push(run);
  }
  return runs;
}

const shown = (run: ExpandedRun) => ({
  logical_date: run.logicalDate.toISOString(),
  data_interval_start: run.interval.start.toISOString(),
  data_interval_end: run.interval.end.toISOString(),
  run_after: run.runAfter.toISOString(),
  is_catchup: run.isCatchup,
});

function rowOf({ timezone }: DagSpec, run: ExpandedRun) {
  const plain = (at: Date) => at.toISOString().slice(0, 16) + "Z";
  const zoned = (at: Date) =>
    Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timezone);
  const due = zoned(run.runAfter);
  const isShifted = zoned(run.interval.start).offsetNanoseconds !== due.offsetNanoseconds;
  return {
    due: plain(run.runAfter),
    local: `${due.toPlainDateTime().toString().slice(0, 16)}${due.offset}`,
    start: plain(run.interval.start),
    end: plain(run.interval.end),
    mark: [run.isCatchup ? "catch-up" : "", isShifted ? "clocks change" : ""].filter(Boolean)
      .join(", "),
  };
}
