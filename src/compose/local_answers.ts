/** @module Answers to what tasks ask people, in a run without a server: given before, or asked for. */
import { replyTo } from "../api/hitl.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { Question, Reply } from "../model/trigger.ts";

/** An answer as people give it: one option or several, and fields of the form. */
export interface LocalAnswer {
  options?: readonly string[];
  params?: Readonly<Record<string, unknown>>;
}

/** Answers a question of a task, named as `task` or `task[index]`; null: nobody does. */
export type Answerer = (task: string, question: Question) => Reply | null;

const BY = "you";

/** Answers by task, or by one instance of it. Throws INVALID for tasks that ask nothing. */
export function givenAnswers(
  spec: DagSpec,
  given: ReadonlyMap<string, LocalAnswer>,
): Answerer {
  const asking = spec.tasks.filter(({ operator }) => asks(operator)).map(({ taskId }) => taskId);
  for (const name of given.keys()) {
    if (asking.includes(bare(name))) continue;
    throw new AppError(
      "INVALID",
      `Cannot answer "${name}" of DAG "${spec.dagId}": it asks nobody; ` +
        (asking.length > 0 ? `those that do are ${asking.join(", ")}` : "no task of it does"),
    );
  }
  return (task, question) => {
    const answer = given.get(task) ?? given.get(bare(task));
    return answer ? reply(question, answer) : null;
  };
}

const asks = (operator: string) => ["approval", "choose", "input"].includes(operator);
const bare = (name: string) => name.replace(/\[\d+\]$/, "");

/** `task=Approve`, `task=a,b`, `task={"field": 1}`, as `--answer` takes them. */
export function answersOf(texts: readonly string[]): Map<string, LocalAnswer> {
  return new Map(texts.map((text) => {
    const [, task, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (task === undefined) {
      throw new AppError(
        "INVALID",
        `Cannot use --answer ${text}: give it as task=option, or task={"field": value}`,
      );
    }
    return [task.trim(), answerOf(value.trim())];
  }));
}

function answerOf(text: string): LocalAnswer {
  if (!text.startsWith("{")) return { options: text.split(",").map((one) => one.trim()) };
  try {
    return { params: JSON.parse(text) };
  } catch (error) {
    throw new AppError("INVALID", `Cannot read the answer ${text}: ${messageOf(error)}`);
  }
}

/** The answer as the store keeps it; options whatever their case. Throws INVALID where it does not fit. */
export function reply(question: Question, { options, params = {} }: LocalAnswer): Reply {
  const { options: known, defaults } = question;
  const same = (one: string) => known.find((each) => each.toLowerCase() === one.toLowerCase());
  // Fields alone: the form has one way to be sent off, or a way by default.
  const chosen = options?.map((one) => same(one) ?? one) ??
    (known.length === 1 ? known : defaults ?? []);
  if (chosen.length === 0) {
    throw new AppError(
      "INVALID",
      `Cannot answer "${question.subject}" with fields alone: choose of ${known.join(", ")}`,
    );
  }
  return replyTo({ ...question, assignees: [] }, {
    chosenOptions: chosen,
    paramsInput: params as Parameters<typeof replyTo>[1]["paramsInput"],
    by: BY,
  });
}

/** Asks whoever sits at the terminal, until the answer fits; an empty line leaves it unanswered. */
export function askAtTerminal(
  { out, ask }: { out(text: string): void; ask(text: string): string | null },
): Answerer {
  return (task, question) => {
    const { subject, body, options, defaults, params } = question;
    out(`\n${task} asks: ${subject}\n${body === null ? "" : `${body}\n`}`);
    const fields = Object.keys(params);
    if (fields.length > 0) out(`fields: ${fields.join(", ")} (as JSON: {"${fields[0]}": …})\n`);
    const hint = options.map((one) => defaults?.includes(one) ? `[${one}]` : one).join(" | ");
    for (;;) {
      const text = ask(`${hint}:`)?.trim() ?? "";
      if (text === "") return null;
      try {
        return reply(question, answerOf(text));
      } catch (error) {
        out(`${messageOf(error)}\n`);
      }
    }
  };
}
