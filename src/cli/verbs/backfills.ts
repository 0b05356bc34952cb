/** @module Verbs on backfills: backfill makes one, backfills looks at them and changes them. */
import { CliError, segment } from "../client.ts";
import { type Output, printFacts, printJson, printTable, seconds } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb, type VerbContext, type VerbOptions } from "../verb.ts";
import { onLatest } from "./by_hand.ts";
import { parseConf } from "./runs.ts";

import { type BackfillShape, percent } from "./backfill_shape.ts";
import { type CascadePreviewShape, printBelow, shownCascade } from "./cascade.ts";

/** What a backfill would do, as the API gives it. */
interface DryRunShape {
  backfills: { logical_date: string; what: string }[];
  counts: { dates: number; new: number; again: number; left_out_by: Record<string, number> };
  estimate: {
    seconds: number | null;
    median_run_seconds: number | null;
    from_runs: number;
    concurrency: number;
    why: string | null;
    requests: { source: string; requests: number | null; from_runs: number; why: string | null }[];
    cost: number | null;
    cost_why: string;
  };
  cascade: CascadePreviewShape[];
  total_seconds: number | null;
}

interface ChangedShape {
  dates: number;
  backfill: BackfillShape;
}

const LOOK_MS = 500;
/** Dates of a dry run that are shown to people. */
const DATES_SHOWN = 20;

const sizeOptions = [
  { flags: "--max-active-runs <n>", doc: "Runs of it at a time (default: 10)" },
  {
    flags: "--share <fraction>",
    doc: "Of each pool's slots and of the DAG's tasks at a time: what it takes at most, 0 to 1",
  },
];
const forceOption = {
  flags: "--force",
  doc: "also what ran on another version of Tidewheel, which is left out else",
};
const watchOption = { flags: "--watch", doc: "Show its progress until its end" };

export const backfill: Verb = {
  name: "backfill",
  summary: "Run a DAG for past intervals",
  arguments: [{ name: "<dag>", doc: "Id of the DAG" }],
  options: [
    { flags: "--from <time>", doc: "First logical date (ISO 8601)" },
    { flags: "--to <time>", doc: "Last logical date" },
    { flags: "--conf <json>", doc: "Parameters of every run" },
    {
      flags: "--reprocess <what>",
      doc: "What to do where a run exists: none, failed, completed",
      default: "none",
    },
    ...sizeOptions,
    {
      flags: "--cascade",
      doc: "Also run again all that is downstream: DAGs that read what these dates publish",
    },
    { flags: "--latest", doc: "What runs again does so on the newest version of its DAG" },
    {
      flags: "--as-it-was",
      doc: "What runs again does so on the version of its DAG that it had, not on the newest",
    },
    { ...forceOption, doc: `with --as-it-was: ${forceOption.doc}` },
    { flags: "--order <order>", doc: "forward or newest-first", default: "forward" },
    { flags: "--dry-run", doc: "Only say which dates would run, and what that would take" },
    watchOption,
  ],
  async run(context, [dag], options) {
    const { api, output } = context;
    if (!options.from || !options.to) {
      throw new CliError(
        "Cannot tell which dates: give both --from and --to (`backfills` lists those that there are)",
      );
    }
    const body = {
      dag_id: dag,
      from_date: options.from,
      to_date: options.to,
      run_backwards: isNewestFirst(text(options, "order")!),
      dag_run_conf: parseConf(text(options, "conf")),
      reprocess_behavior: options.reprocess,
      cascade: options.cascade === true,
      run_on_latest_version: onLatest(options),
      force: options.force === true,
      ...sizesOf(options),
    };
    if (options.dryRun) {
      printDryRun(output, await api.post<DryRunShape>("/api/v2/backfills/dry_run", body));
      return 0;
    }
    const made = await api.post<BackfillShape>("/api/v2/backfills", body);
    return await shown(context, made, options);
  },
};

const actions = [
  "list",
  "show",
  "dates",
  "pause",
  "resume",
  "cancel",
  "extend",
  "rerun-failed",
  "set",
];

export const backfills: Verb = {
  name: "backfills",
  summary: "List backfills, look at one, pause, resume, cancel, extend it, run what failed again",
  arguments: [
    { name: "[action]", doc: `${actions.join(", ")}; list by default` },
    { name: "[id]", doc: "Id of the backfill; of list: id of the DAG" },
  ],
  options: [
    { flags: "--from <time>", doc: "extend: an earlier first logical date" },
    { flags: "--to <time>", doc: "extend: a later last logical date" },
    { flags: "--now", doc: "cancel: also what is running" },
    { ...forceOption, doc: `rerun-failed: ${forceOption.doc}` },
    ...sizeOptions,
    { flags: "--active", doc: "list: only those that are not over" },
    { flags: "--limit <n>", doc: "list, dates: at most this many", default: "50" },
    watchOption,
  ],
  async run(context, [action = "list", id], options) {
    const { api } = context;
    if (action === "list") return await list(context, id, options);
    if (!actions.includes(action)) {
      throw new CliError(
        `Cannot do "${action}" with backfills: it is one of ${actions.join(", ")}`,
      );
    }
    if (id === undefined) throw new CliError(`Cannot ${action} without the id of a backfill`);
    const path = `/api/v2/backfills/${segment(id)}`;
    switch (action) {
      case "show":
        return await shown(context, await api.get<BackfillShape>(path), options);
      case "dates":
        return await dates(context, path, options);
      case "pause":
      case "resume": {
        const verb = action === "pause" ? "pause" : "unpause";
        return await shown(context, await api.put<BackfillShape>(`${path}/${verb}`), options);
      }
      case "cancel": {
        const query = options.now ? "?now=true" : "";
        return await shown(
          context,
          await api.put<BackfillShape>(`${path}/cancel${query}`),
          options,
        );
      }
      case "set":
        return await shown(
          context,
          await api.patch<BackfillShape>(path, sizesOf(options)),
          options,
        );
      case "extend": {
        const range = { from_date: options.from, to_date: options.to };
        const changed = await api.post<ChangedShape>(`${path}/extend`, range);
        return await shown(context, changed.backfill, options, changed.dates);
      }
      default: {
        const how = { force: options.force === true };
        const changed = await api.post<ChangedShape>(`${path}/rerun_failed`, how);
        return await shown(context, changed.backfill, options, changed.dates);
      }
    }
  },
};

function isNewestFirst(order: string): boolean {
  if (order === "forward") return false;
  if (order === "newest-first" || order === "reverse") return true;
  throw new CliError(`Cannot run in the order "${order}": it is forward, reverse or newest-first`);
}

function sizesOf(options: VerbOptions) {
  const number = (name: string, flag: string) => {
    const given = text(options, name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (given.trim() !== "" && Number.isFinite(value)) return value;
    throw new CliError(`Cannot use ${flag} "${given}": it must be a number`);
  };
  return {
    max_active_runs: number("maxActiveRuns", "--max-active-runs"),
    share: number("share", "--share"),
  };
}

async function list({ api, output }: VerbContext, dag: string | undefined, options: VerbOptions) {
  const page = await api.get<Page<"backfills", BackfillShape>>("/api/v2/backfills", {
    dag_id: dag,
    active: options.active ? "true" : undefined,
    limit: text(options, "limit"),
    order_by: "-id",
  });
  printTable(output, page, page.backfills, {
    id: (one) => one.id,
    dag: (one) => one.dag_id,
    from: (one) => one.from_date,
    to: (one) => one.to_date,
    state: (one) => one.state,
    dates: (one) => one.runs.planned,
    done: (one) => percent(one),
    failed: (one) => one.runs.failed,
    "left out": (one) => one.runs.left_out,
  });
  return 0;
}

async function dates({ api, output }: VerbContext, path: string, options: VerbOptions) {
  const page = await api.get<
    Page<"dates", {
      logical_date: string | null;
      partition_key: string | null;
      state: string;
      dag_run_id: string | null;
    }>
  >(`${path}/dates`, { limit: text(options, "limit") });
  printTable(output, page, page.dates, {
    "logical date": (date) => date.logical_date ?? date.partition_key,
    state: (date) => date.state,
    run: (date) => date.dag_run_id,
  });
  return 0;
}

/** Show one, and how it goes until its end when asked to. Code 1: it ended with something failed. */
async function shown(
  { api, output, sleep }: Pick<VerbContext, "api" | "output" | "sleep">,
  given: BackfillShape,
  options: VerbOptions,
  added?: number,
): Promise<number> {
  if (given.cascade_id === given.id && !output.json) {
    return await shownCascade({ api, output, sleep }, given.id, options.watch === true);
  }
  let now = given;
  if (options.watch) {
    const show = progress(output);
    for (;;) {
      show(now);
      if (now.completed_at !== null && now.runs.running + now.runs.queued === 0) break;
      await sleep(LOOK_MS);
      now = await api.get<BackfillShape>(`/api/v2/backfills/${now.id}`);
    }
  }
  printFacts(output, now, { ...facts(now), ...(added === undefined ? {} : { added }) });
  return options.watch && (now.state !== "completed" || now.runs.failed > 0) ? 1 : 0;
}

/** One line redrawn in a terminal; elsewhere a line at each change. */
function progress(output: Output): (one: BackfillShape) => void {
  let last = "";
  return (one) => {
    if (output.json) return;
    const line = progressLine(one);
    if (line === last) return;
    if (last !== "" && output.isTerminal) output.out("\x1b[1A\x1b[J");
    last = line;
    output.out(`${line}\n`);
  };
}

function progressLine(one: BackfillShape): string {
  const { planned, pending, queued, running, success, failed, left_out } = one.runs;
  const counts = { pending, queued, running, success, failed, "left out": left_out };
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  return `${one.state}  ${percent(one)} of ${planned} dates: ${parts.join(", ")}`;
}

function facts(one: BackfillShape) {
  const { left_out_by, ...runs } = one.runs;
  const reasons = Object.entries(left_out_by).map(([reason, count]) => `${count} ${reason}`);
  return {
    backfill: one.id,
    dag: one.dag_id,
    from: one.from_date,
    to: one.to_date,
    state: one.state,
    "runs at a time": one.max_active_runs,
    share: one.share,
    ...{ dates: runs.planned, pending: runs.pending, queued: runs.queued, running: runs.running },
    ...{ success: runs.success, failed: runs.failed },
    "left out": reasons.length > 0 ? reasons.join(", ") : 0,
    completed: one.completed_at,
  };
}

function printDryRun(output: Output, dry: DryRunShape) {
  if (output.json) return printJson(output, dry);
  const { counts, estimate } = dry;
  printTable(output, dry, dry.backfills.slice(0, DATES_SHOWN), {
    "logical date": (date) => date.logical_date,
    what: (date) => date.what,
  });
  const hidden = dry.backfills.length - DATES_SHOWN;
  if (hidden > 0) output.out(`(${hidden} more)\n`);
  const leftOut = Object.entries(counts.left_out_by).map(([why, dates]) => `${dates} ${why}`);
  output.out("\n");
  printFacts(output, dry, {
    dates: counts.dates,
    new: counts.new,
    again: counts.again,
    "left out": leftOut.length > 0 ? leftOut.join(", ") : 0,
    time: estimate.seconds === null
      ? `unknown: ${estimate.why}`
      : `about ${seconds(estimate.seconds)}: ${seconds(estimate.median_run_seconds)} a run, ` +
        `${estimate.concurrency} at a time (from ${estimate.from_runs} runs)`,
    ...Object.fromEntries(estimate.requests.map((each) => [
      `requests to ${each.source}`,
      each.requests === null
        ? `unknown: ${each.why}`
        : `about ${each.requests} (from ${each.from_runs} runs)`,
    ])),
    cost: estimate.cost ?? `unknown: ${estimate.cost_why}`,
  });
  if (dry.cascade.length > 0) printBelow(output, dry.cascade, dry.total_seconds);
}
