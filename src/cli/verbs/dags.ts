/** @module Verbs on DAGs: dags, pause, unpause. */
import { CliError, segment } from "../client.ts";
import { type Output, printable, printFacts, printJson, printTable } from "../print.ts";
import type { DagShape, Page } from "../shapes.ts";
import { text, type Verb } from "../verb.ts";

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
  summary: "List DAGs, warnings on them, and the files that could not be imported",
  options: [{ flags: "--limit <n>", doc: "At most this many", default: "100" }],
  async run({ api, output }, _args, options) {
    const [page, errors, warnings] = await Promise.all([
      api.get<Page<"dags", DagShape>>("/api/v2/dags", { limit: text(options, "limit") }),
      api.get<Page<"import_errors", ImportErrorShape>>("/api/v2/importErrors", {
        limit: ERRORS,
        order_by: "filename",
      }),
      api.get<Page<"dag_warnings", { message: string }>>("/api/v2/dagWarnings", { limit: ERRORS }),
    ]);
    if (output.json) {
      printJson(output, {
        ...page,
        import_errors: errors.import_errors,
        dag_warnings: warnings.dag_warnings,
      });
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
    for (const { message } of warnings.dag_warnings) {
      output.out(`\nWarning: ${printable(message)}\n`);
    }
    printErrors(output, errors, page.dags);
    return 0;
  },
};

function stateOf(dag: DagShape): string {
  if (dag.is_stale) return "stale";
  const paused = dag.pause_reason === null ? "paused" : `paused: ${dag.pause_reason}`;
  if (dag.has_import_errors) return dag.is_paused ? `broken, ${paused}` : "broken";
  return dag.is_paused ? paused : "active";
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

function pausing(name: string, isPaused: boolean, summary: string, all: string): Verb {
  return {
    name,
    summary,
    arguments: [{ ...dagArgument, name: "[dag]" }],
    options: [{ flags: "--all", doc: all }],
    async run({ api, output }, [dag], options) {
      if ((dag === undefined) !== (options.all === true)) {
        throw new CliError("Give the id of a DAG, or --all");
      }
      if (options.all) {
        const verb = isPaused ? "pauseAll" : "unpauseAll";
        const changed = await api.post<{ dag_ids: string[] }>(`/api/v2/maintenance/${verb}`);
        printFacts(output, changed, {
          [isPaused ? "paused" : "unpaused"]: changed.dag_ids.join(", ") || "(none)",
        });
        return 0;
      }
      const changed = await api.patch<DagShape>(`/api/v2/dags/${segment(dag)}`, {
        is_paused: isPaused,
      });
      printFacts(output, changed, { dag: changed.dag_id, paused: changed.is_paused });
      return 0;
    },
  };
}

export const pause: Verb = pausing(
  "pause",
  true,
  "Start no new runs and tasks of a DAG",
  "Of all DAGs, new ones too; which were paused already is remembered",
);
export const unpause: Verb = pausing(
  "unpause",
  false,
  "Let a paused DAG go on",
  "All that `pause --all` paused, and no others",
);
