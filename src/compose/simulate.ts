/** @module `tidewheel simulate`: the scheduler's own decisions on a DAG file, on a clock that jumps. */
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, tableText } from "../cli/print.ts";
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import {
  type Rehearsal,
  rehearse,
  type RehearsedDag,
  type RehearsedRun,
  type Stretch,
} from "../scheduler/rehearsal.ts";
import { timeOf } from "../timetable/mod.ts";
import { loadDags } from "./load_dag.ts";
import { type Durations, durationsOf, historyOf } from "./simulated_durations.ts";
import { timelineSvg } from "./timeline_svg.ts";

/** Runs that one call lists; a year of one a minute fits. */
const RUNS_MAX = 600_000;

/** What `tidewheel simulate` does. */
export async function runSimulate(
  { output, api }: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  const specs = chosen((await loadDags(file)).dags.map(({ spec }) => spec), options.dag, file);
  const from = instantOf(options.from, "--from");
  const to = instantOf(options.to, "--to");
  if (to <= from) throw new AppError("INVALID", "Cannot simulate: --to is not after --from");
  const past = options.history === true ? await historyOf(api, specs) : null;
  const durations = durationsOf(specs, listOf(options.duration), past);
  const result = rehearsed({
    specs: specs.filter(isTimed),
    ...{ from, to, durationMs: durations.of },
    down: listOf(options.down).map((text) => stretchOf(text, "--down")),
    paused: listOf(options.paused).map((text) => stretchOf(text, "--paused")),
    mapped: countOf(options.mapped),
    runsMax: RUNS_MAX,
  });
  if (typeof options.svg === "string") {
    await Deno.writeTextFile(options.svg, timelineSvg(result.runs, { from, to }));
  }
  if (output.json) {
    printJson(output, documentOf(result));
    return 0;
  }
  const byId = new Map(specs.map((spec) => [spec.dagId, spec]));
  if (result.runs.length > 0) {
    output.out(timelineText(result.runs, byId, { isOne: specs.length === 1 }));
  }
  output.out("\n" + summaryText(result.dags, durations));
  for (const { dagId } of specs.filter((spec) => !isTimed(spec))) {
    output.out(`${dagId}: left out, only datasets or people start it\n`);
  }
  return 0;
}

/** Does time alone start it? */
function isTimed({ schedule }: DagSpec): boolean {
  const byDatasets = schedule.kind === "datasets" && schedule.or === undefined;
  return !byDatasets && (timeOf(schedule) !== null || schedule.kind !== "none");
}

function chosen(specs: DagSpec[], id: VerbOptions[string], file: string): DagSpec[] {
  const found = id === undefined ? specs : specs.filter(({ dagId }) => dagId === id);
  const names = specs.map(({ dagId }) => dagId).join(", ") || "none";
  if (found.length === 0) {
    throw new AppError(
      "INVALID",
      `Cannot use ${file}: it exports no DAG${id ? ` "${id}"` : ""} (it exports: ${names})`,
    );
  }
  if (found.some(isTimed)) return found;
  throw new AppError(
    "INVALID",
    `Cannot simulate ${found.map(({ dagId }) => `DAG "${dagId}"`).join(", ")}: only datasets or ` +
      `people start it, so that its runs hang on what happens meanwhile`,
  );
}

function rehearsed(options: Parameters<typeof rehearse>[0]): Rehearsal {
  try {
    return rehearse(options);
  } catch (error) {
    if (error instanceof RangeError) throw new AppError("TOO_LARGE", error.message);
    throw error;
  }
}

function instantOf(text: unknown, name: string): Date {
  const at = new Date(typeof text === "string" ? text : NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new AppError("INVALID", `Cannot simulate: ${name} must be ISO 8601, as 2026-01-05`);
}

function stretchOf(text: string, name: string): Stretch {
  const [from, to] = text.split("..").map((one) => new Date(one));
  if (from && to && from < to) return { from, to };
  throw new AppError(
    "INVALID",
    `Cannot simulate: ${name} ${text} is no stretch of time; give 2026-03-01..2026-03-05`,
  );
}

function countOf(text: VerbOptions[string]): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 10_000) return count;
  throw new AppError("INVALID", `Cannot simulate: --mapped ${text} is not 0 to 10000`);
}

const listOf = (given: VerbOptions[string]) => Array.isArray(given) ? given : [];

function documentOf({ runs, dags }: Rehearsal) {
  return {
    runs: runs.map((run) => ({
      dag_id: run.dagId,
      logical_date: run.logicalDate,
      data_interval_start: run.interval.start,
      data_interval_end: run.interval.end,
      run_after: run.runAfter,
      start_date: run.startedAt,
      end_date: run.endedAt,
      is_catchup: run.isCatchup,
    })),
    total_entries: runs.length,
    dags: dags.map((dag) => ({
      dag_id: dag.spec.dagId,
      runs: dag.runs,
      tasks: dag.tasks,
      unfinished: dag.unfinished,
      backlog_max: dag.backlogMax,
      waiting: dag.waiting,
      left_out: dag.leftOut,
      late_seconds_max: dag.lateMsMax / 1000,
    })),
  };
}

/** A line for each run. */
function timelineText(
  runs: readonly RehearsedRun[],
  byId: ReadonlyMap<string, DagSpec>,
  { isOne }: { isOne: boolean },
): string {
  const rows = runs.map((run) => rowOf(byId.get(run.dagId)!, run));
  return tableText(rows, {
    ...(isOne ? {} : { dag: (one: Row) => one.dag }),
    "run after": (one) => one.due,
    "local time": (one) => one.local,
    "interval begins": (one) => one.start,
    "interval ends": (one) => one.end,
    starts: (one) => one.wait,
    took: (one) => one.took,
    "": (one) => one.mark,
  });
}

type Row = ReturnType<typeof rowOf>;

function rowOf({ timezone }: DagSpec, run: RehearsedRun) {
  const plain = (at: Date) => at.toISOString().slice(0, 16) + "Z";
  const zoned = (at: Date) =>
    Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timezone);
  const due = zoned(run.runAfter);
  const isShifted = zoned(run.interval.start).offsetNanoseconds !== due.offsetNanoseconds;
  const { startedAt, endedAt, runAfter } = run;
  return {
    dag: run.dagId,
    due: plain(runAfter),
    local: `${due.toPlainDateTime().toString().slice(0, 16)}${due.offset}`,
    start: plain(run.interval.start),
    end: plain(run.interval.end),
    wait: startedAt === null ? "not yet" : lateText(+startedAt - +runAfter),
    took: startedAt && endedAt ? spanText(+endedAt - +startedAt) : "",
    mark: [
      run.isCatchup ? "catch-up" : "",
      isShifted ? "clocks change" : "",
      startedAt && !endedAt ? "runs at the end" : "",
    ].filter(Boolean).join(", "),
  };
}

const lateText = (ms: number) => ms < 1000 ? "on time" : `+${spanText(ms)}`;

/** The two largest units of a span: `2d 3h`, `5m`, `12s`. */
export function spanText(ms: number): string {
  const units: [string, number][] = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]];
  let rest = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${count}${name}`);
  }
  return parts.join(" ") || "0s";
}

function summaryText(dags: readonly RehearsedDag[], durations: Durations): string {
  return dags.map((dag) => {
    const { spec, runs, tasks, backlogMax, waiting, unfinished, leftOut, lateMsMax } = dag;
    const facts = [
      `${runs} runs of ${spec.tasks.length} tasks, ${tasks} tasks started`,
      `a task takes ${durations.text(spec.dagId)}`,
      lateMsMax >= 1000 ? `the latest start was ${spanText(lateMsMax)} after it was due` : "",
      backlogMax > 0 ? `up to ${backlogMax} runs waited (maxActiveRuns ${spec.maxActiveRuns})` : "",
      waiting > 0 ? `${waiting} due runs are not made at the end` : "",
      unfinished > 0 ? `${unfinished} runs are not over at the end` : "",
      leftOut > 0 ? `${leftOut} intervals have no run` : "",
    ];
    return `${spec.dagId}: ${facts.filter(Boolean).join("; ")}\n`;
  }).join("");
}
