/** @module The verbs approvals, approve, reject and answer: what tasks ask people. */
import { CliError, segment } from "../client.ts";
import { printFacts, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb, type VerbContext } from "../verb.ts";
import { findRun, runArgument, runPath } from "./runs.ts";

/** A question as the API gives it. */
interface HitlDetail {
  subject: string;
  options: string[];
  multiple: boolean;
  created_at: string;
  expires_at: string | null;
  chosen_options: string[] | null;
  responded_by_user: { name: string } | null;
  is_open: boolean;
  task_instance: { dag_id: string; dag_run_id: string; task_id: string; map_index: number };
}

interface HitlAnswer {
  chosen_options: string[];
  params_input: Record<string, unknown>;
  responded_by: { name: string };
  responded_at: string;
}

export const approvals: Verb = {
  name: "approvals",
  summary: "List what tasks ask people, the oldest first",
  arguments: [{ name: "[dag]", doc: "Only of this DAG" }],
  options: [
    { flags: "--all", doc: "Those answered and past their time too" },
    { flags: "--limit <n>", doc: "At most this many", default: "100" },
  ],
  async run({ api, output }, [dag = "~"], options) {
    const page = await api.get<Page<"hitl_details", HitlDetail>>(
      `/api/v2/dags/${dag === "~" ? dag : segment(dag)}/dagRuns/~/hitlDetails`,
      { limit: text(options, "limit"), ...(options.all === true ? {} : { is_open: true }) },
    );
    printTable(output, page, page.hitl_details, {
      dag: (one) => one.task_instance.dag_id,
      run: (one) => one.task_instance.dag_run_id,
      task: ({ task_instance: { task_id: task, map_index: index } }) =>
        index < 0 ? task : `${task}[${index}]`,
      subject: (one) => one.subject,
      options: (one) => one.options.join(" | "),
      asked: (one) => one.created_at,
      until: (one) => one.expires_at,
      answer: (one) =>
        one.chosen_options && `${one.chosen_options.join(", ")} (${one.responded_by_user?.name})`,
    });
    return 0;
  },
};

const which = [
  { name: "<dag>", doc: "The DAG" },
  runArgument,
  { name: "<task>", doc: "The task" },
];
const common = [
  { flags: "--map-index <n>", doc: "Of a mapped task: which instance", default: "-1" },
  { flags: "--params <json>", doc: "Fields of its form, a JSON object" },
];

export const approve: Verb = {
  name: "approve",
  summary: "Approve what a task asks; it goes on",
  arguments: which,
  options: common,
  run: (context, args, options) => answerWith(context, args, options, ["Approve"]),
};

export const reject: Verb = {
  name: "reject",
  summary: "Reject what a task asks; what comes after it is skipped",
  arguments: which,
  options: common,
  run: (context, args, options) => answerWith(context, args, options, ["Reject"]),
};

export const answer: Verb = {
  name: "answer",
  summary: "Answer what a task asks with one of its options, or several",
  arguments: [...which, { name: "<options...>", doc: "What is chosen" }],
  options: common,
  run: (context, [dag, run, task, ...chosen], options) =>
    answerWith(context, [dag, run, task], options, chosen.flat()),
};

async function answerWith(
  { api, output }: VerbContext,
  [dag, run, task]: string[],
  options: Parameters<Verb["run"]>[2],
  chosen: string[],
): Promise<number> {
  const index = text(options, "mapIndex") ?? "-1";
  const found = await findRun(api, dag, run);
  const given = await api.patch<HitlAnswer>(
    `${runPath(found)}/taskInstances/${segment(task)}/${segment(index)}/hitlDetails`,
    { chosen_options: chosen, params_input: paramsOf(text(options, "params")) },
  );
  printFacts(output, given, {
    task,
    answer: given.chosen_options.join(", "),
    by: given.responded_by.name,
    at: given.responded_at,
  });
  return 0;
}

function paramsOf(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {};
  try {
    const params = JSON.parse(json);
    if (params !== null && typeof params === "object" && !Array.isArray(params)) return params;
  } catch {
    // Said below.
  }
  throw new CliError(`Cannot read --params ${json}: it must be a JSON object`);
}
