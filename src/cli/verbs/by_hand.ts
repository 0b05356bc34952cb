/** @module Verbs on the tasks of a run: clear, mark, skip, run-task, note. */
import { CliError, type RestClient, segment } from "../client.ts";
import { type Output, printFacts, printJson, tableText } from "../print.ts";
import type { Page, RunShape, TaskInstanceShape } from "../shapes.ts";
import type { Verb, VerbOptions } from "../verb.ts";
import { dagArgument, findRun, runArgument, runFacts, runPath, taskName } from "./runs.ts";

type Touched = Page<"task_instances", TaskInstanceShape>;

const around = [
  { flags: "--downstream", doc: "And all that follow from them" },
  { flags: "--upstream", doc: "And all that they follow from" },
  { flags: "--past", doc: "Also in runs with an earlier logical date" },
  { flags: "--future", doc: "Also in runs with a later logical date" },
];
const dryRun = { flags: "--dry-run", doc: "Only say which they are" };
const noteOption = { flags: "--note <text>", doc: "A note kept with them" };
const tasksArgument = { name: "<tasks...>", doc: "Ids of tasks, or `task[3]` for one instance" };

export const clear: Verb = {
  name: "clear",
  summary: "Run tasks of a run again",
  arguments: [
    dagArgument,
    { ...runArgument, doc: `${runArgument.doc}, or \`~\` for all between --from and --to` },
    { name: "[tasks...]", doc: "All of them by default; `task[3]`: one instance" },
  ],
  options: [
    { flags: "--only-failed", doc: "Only those that failed" },
    { flags: "--only-running", doc: "Only those that run" },
    ...around,
    { flags: "--from <time>", doc: "Runs with a logical date from here on; how far --past goes" },
    { flags: "--to <time>", doc: "Until here; how far --future goes" },
    { flags: "--latest", doc: "On the DAG's latest version" },
    {
      flags: "--as-it-was",
      doc: "On the version of the run: the default, unless the DAG says other",
    },
    { flags: "--force", doc: "As it was, though it ran on another version of Tidewheel" },
    { flags: "--prevent-running", doc: "Refuse when one of them runs" },
    noteOption,
    dryRun,
  ],
  async run({ api, output }, [dag, run, ...only], options) {
    const isDates = run === "~";
    if (isDates && !options.from && !options.to) {
      throw new CliError("Give --from or --to with ~: it stands for the runs between them");
    }
    const found = isDates ? null : await findRun(api, dag, run);
    if (found) await requireTasks(api, found, only.map((task) => taskOf(task)[0]));
    const page = await api.post<Touched>(`/api/v2/dags/${segment(dag)}/clearTaskInstances`, {
      ...(found ? { dag_run_id: found.dag_run_id } : {}),
      ...(only.length > 0 ? { task_ids: only.map(taskId) } : {}),
      ...(options.from ? { start_date: options.from } : {}),
      ...(options.to ? { end_date: options.to } : {}),
      ...(options.note ? { note: options.note } : {}),
      only_failed: options.onlyFailed === true,
      only_running: options.onlyRunning === true,
      ...surroundings(options),
      run_on_latest_version: onLatest(options),
      prevent_running_task: options.preventRunning === true,
      force: options.force === true,
      dry_run: options.dryRun === true,
    });
    printTouched(output, page, options.dryRun ? "would run again" : "run again");
    return 0;
  },
};

/** As asked for; null: as the DAG says. */
export function onLatest({ latest, asItWas }: VerbOptions): boolean | null {
  if (latest === true && asItWas === true) {
    throw new CliError("Give one of --latest and --as-it-was");
  }
  return latest === true ? true : asItWas === true ? false : null;
}

export const mark: Verb = {
  name: "mark",
  summary: "Give tasks of a run a state by hand; what runs is stopped first",
  arguments: [
    dagArgument,
    runArgument,
    { name: "<state>", doc: "success, failed or skipped" },
    tasksArgument,
  ],
  options: [...around, noteOption, dryRun],
  async run({ api, output }, [dag, run, state, ...only], options) {
    const found = await findRun(api, dag, run);
    const page = await setStates(api, found, only, {
      isDry: options.dryRun === true,
      body: {
        new_state: state,
        ...surroundings(options),
        ...(options.note ? { note: options.note } : {}),
      },
    });
    printTouched(output, page, options.dryRun ? `would be ${state}` : `set to ${state}`);
    return 0;
  },
};

export const skip: Verb = {
  name: "skip",
  summary: "Leave tasks of a run out before they start",
  arguments: [dagArgument, runArgument, tasksArgument],
  options: [noteOption],
  async run({ api, output }, [dag, run, ...only], options) {
    const found = await findRun(api, dag, run);
    const page = await setStates(api, found, only, {
      isDry: false,
      body: {
        new_state: "skipped",
        only_waiting: true,
        ...(options.note ? { note: options.note } : {}),
      },
    });
    printTouched(output, page, "are left out");
    return 0;
  },
};

export const runTask: Verb = {
  name: "run-task",
  summary: "Run these tasks of a run alone, with their inputs as stored",
  arguments: [dagArgument, runArgument, tasksArgument],
  options: [noteOption, dryRun],
  async run({ api, output }, [dag, run, ...only], options) {
    const found = await findRun(api, dag, run);
    await requireTasks(api, found, only.map((task) => taskOf(task)[0]));
    const page = await api.post<Touched>(`/api/v2/dags/${segment(dag)}/clearTaskInstances`, {
      dag_run_id: found.dag_run_id,
      task_ids: only.map(taskId),
      ignore_dependencies: true,
      dry_run: options.dryRun === true,
      ...(options.note ? { note: options.note } : {}),
    });
    printTouched(output, page, options.dryRun ? "would run alone" : "run alone");
    return 0;
  },
};

export const note: Verb = {
  name: "note",
  summary: "Write a note on a run, or on tasks of it; an empty text removes it",
  arguments: [
    dagArgument,
    runArgument,
    { name: "<text>", doc: "The note" },
    { name: "[tasks...]", doc: "On these tasks; on the run itself by default" },
  ],
  async run({ api, output }, [dag, run, given, ...only]) {
    const found = await findRun(api, dag, run);
    const body = { note: given === "" ? null : given };
    if (only.length === 0) {
      const noted = await api.patch<RunShape>(runPath(found), body);
      printFacts(output, noted, { ...runFacts(noted), note: noted.note });
      return 0;
    }
    printTouched(output, await setStates(api, found, only, { isDry: false, body }), "noted");
    return 0;
  },
};

function surroundings(options: Readonly<Record<string, unknown>>) {
  return {
    include_downstream: options.downstream === true,
    include_upstream: options.upstream === true,
    include_past: options.past === true,
    include_future: options.future === true,
  };
}

/** `task` and its index, of `task` or `task[3]`. */
function taskOf(name: string): [string, number | null] {
  const match = /^(.*)\[(\d+)\]$/.exec(name);
  return match ? [match[1], Number(match[2])] : [name, null];
}

function taskId(name: string): string | [string, number] {
  const [task, index] = taskOf(name);
  return index === null ? task : [task, index];
}

/** Patch each of the tasks; together what they touched. */
async function setStates(
  api: RestClient,
  run: RunShape,
  only: readonly string[],
  { isDry, body }: { isDry: boolean; body: object },
): Promise<Touched> {
  const all: Touched = { task_instances: [], total_entries: 0 };
  for (const name of only) {
    const [task, index] = taskOf(name);
    const path = `${runPath(run)}/taskInstances/${segment(task)}` +
      (index === null ? "" : `/${index}`) + (isDry ? "/dry_run" : "");
    const page = await api.patch<Touched>(path, body);
    all.task_instances.push(...page.task_instances);
    all.total_entries += page.total_entries;
  }
  return all;
}

/** Throws when one of the tasks is not in the run: a clear would pass over it without a word. */
async function requireTasks(api: RestClient, run: RunShape, taskIds: readonly string[]) {
  for (const taskId of taskIds) {
    const query = `task_id=${encodeURIComponent(taskId)}&limit=1`;
    const { total_entries } = await api.get<Touched>(`${runPath(run)}/taskInstances?${query}`);
    if (total_entries > 0) continue;
    throw new CliError(
      `Cannot find task "${taskId}" in run "${run.dag_run_id}" of "${run.dag_id}"`,
    );
  }
}

/** Task instances that are shown one by one; of more only their numbers. */
const LISTED_MAX = 50;

function printTouched(output: Output, page: Touched, what: string): void {
  if (output.json) return printJson(output, page);
  const rows = page.task_instances;
  if (page.total_entries === 0) return output.out("(none)\n");
  const runs = new Set(rows.map((row) => row.dag_run_id));
  const isOneRun = runs.size === 1;
  if (rows.length <= LISTED_MAX) {
    output.out(tableText(
      rows,
      {
        ...(isOneRun ? {} : { run: (row) => row.dag_run_id }),
        task: taskName,
        state: (row) => row.state ?? "none",
      },
      output.isTerminal,
    ));
  } else {
    const groups = Map.groupBy(rows, (row) => `${row.task_id}\n${row.state ?? "none"}`);
    output.out(tableText([...groups], {
      task: ([key]) => key.split("\n")[0],
      state: ([key]) => key.split("\n")[1],
      count: ([, of]) => of.length,
    }, output.isTerminal));
  }
  const shown = rows.length < page.total_entries
    ? ` (the first ${rows.length} are counted above)`
    : "";
  const where = isOneRun ? "" : `, in ${runs.size} runs`;
  output.out(`${page.total_entries} task instances ${what}${where}${shown}\n`);
}
