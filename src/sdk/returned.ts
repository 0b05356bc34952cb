/** @module From what a task's code returned to the outcome that travels. */
import type { z } from "zod";
import { accountingGap } from "../model/data.ts";
import { AppError } from "../model/errors.ts";
import { Effects, Outcome } from "../model/outcome.ts";
import type { TaskNode } from "./builder.ts";
import { canonical, type Json } from "./json.ts";
import type { Operator, TaskOutcome } from "./operator.ts";
import { linkOf } from "./open_context.ts";
import { isOutcomeValue, outcomeKind, type OutcomeValue } from "./outcome.ts";
import { problemsOf } from "./zod_problems.ts";

/** The value as its schema reads it; throws INVALID, naming `what` and the path. */
export function checked<S extends z.ZodType>(shape: S, value: unknown, what: string): z.output<S> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("INVALID", `Cannot use the ${what}: ${problemsOf(parsed.error)}`);
}

/** The outcome that an operator's `run` returned, with its output checked. */
export function operatorOutcome(returned: unknown, operator: Operator): TaskOutcome<unknown> {
  const kind = (returned as { kind?: unknown } | null | undefined)?.kind;
  if (isOutcomeValue(returned)) return plainOutcome(returned);
  if (kind !== "done" && kind !== "skip" && kind !== "retryAt") {
    throw invalid(
      `${operator.name} returned ${shown(returned)}, which is no outcome; ` +
        `return { kind: "done", output }, { kind: "skip" }, { kind: "retryAt", at, reason } or defer({ … })`,
    );
  }
  const outcome = returned as TaskOutcome<unknown>;
  if (outcome.kind !== "done") return outcome;
  return { ...outcome, output: checkedOutput(operator.output, outcome.output) };
}

/** The outcome for what a function task returned: an output, or one of the outcome values. */
export function functionOutcome(
  returned: unknown,
  output: z.ZodType | null,
): TaskOutcome<unknown> {
  const outcome = isOutcomeValue(returned)
    ? plainOutcome(returned)
    : { kind: "done" as const, output: returned };
  if (outcome.kind !== "done" || output === null) return outcome;
  return { ...outcome, output: checkedOutput(output, outcome.output) };
}

/** The outcome for what a branch chose. */
export function branchOutcome(
  choice: unknown,
  to: Readonly<Record<string, readonly string[]>>,
): TaskOutcome<unknown> {
  if (isOutcomeValue(choice)) return plainOutcome(choice);
  const names = choice === null || choice === undefined ? [] : [choice].flat();
  for (const name of names) {
    if (typeof name === "string" && Object.hasOwn(to, name)) continue;
    throw invalid(
      `the branch chose ${shown(name)}; its choices are ${Object.keys(to).join(", ")}, ` +
        `or null for none`,
    );
  }
  const chosen = [...new Set(names.flatMap((name) => to[name as string]))];
  return { kind: "done", output: names, chosen };
}

/** The outcome for what a short circuit answered: go on with everything, or with nothing. */
export function gateOutcome(answer: unknown): TaskOutcome<unknown> {
  if (isOutcomeValue(answer)) return plainOutcome(answer);
  if (answer === true) return { kind: "done", output: true };
  if (answer === false) return { kind: "done", output: false, chosen: [] };
  throw invalid(`the short circuit answered ${shown(answer)}; answer true to go on, or false`);
}

/** The outcome as it travels: plain JSON, with the state that the task has set. */
export function finish(
  outcome: TaskOutcome<unknown>,
  node: TaskNode,
  { stateChanges, now }: { stateChanges: Readonly<Record<string, Json>>; now: Date },
): Outcome {
  switch (outcome.kind) {
    case "defer":
    case "ask":
      return parkedOutcome(outcome, node, now);
    case "skip":
      return { kind: "skip", ...(outcome.reason ? { reason: cut(outcome.reason) } : {}) };
    case "retryAt":
      if (!(outcome.at instanceof Date) || Number.isNaN(outcome.at.getTime())) {
        throw invalid(`retryAt has ${shown(outcome.at)} as its time; give a Date`);
      }
      return { kind: "retryAt", at: outcome.at.toISOString(), reason: cut(outcome.reason ?? "") };
    case "done": {
      const output = canonical(
        outcome.output ?? null,
        (path, problem) =>
          invalid(`the output of task "${node.spec.taskId}"${path && ` at ${path}`} ${problem}`),
      );
      if ([output].flat().some((part) => linkOf(part) !== null)) {
        throw invalid(`the output of task "${node.spec.taskId}" is { $object }, a reserved form`);
      }
      const effects = checkedEffects(outcome.effects, stateChanges);
      const { chosen } = outcome;
      return {
        kind: "done",
        output,
        ...(effects ? { effects } : {}),
        ...(chosen ? { chosen: [...chosen] } : {}),
      };
    }
  }
}

/** A wait as it travels, checked here where its author can be told. */
function parkedOutcome(
  outcome: Extract<TaskOutcome<unknown>, { kind: "defer" | "ask" }>,
  { spec }: TaskNode,
  now: Date,
): Outcome {
  const { deadline, timeoutMs, data, ...rest } = outcome;
  const until = timeoutMs === null ? deadline : new Date(now.getTime() + timeoutMs);
  if (until !== null && Number.isNaN(until.getTime())) {
    throw invalid("the wait's timeout is no valid Date");
  }
  const parsed = Outcome.safeParse({
    ...rest,
    data: canonical(
      data ?? null,
      (path, problem) =>
        invalid(`what task "${spec.taskId}" puts aside${path && ` at ${path}`} ${problem}`),
    ),
    deadline: until?.toISOString() ?? null,
  });
  if (!parsed.success) throw invalid(`it cannot wait like that: ${problemsOf(parsed.error)}`);
  return parsed.data;
}

function checkedEffects(
  given: Effects | undefined,
  stateChanges: Readonly<Record<string, Json>>,
): Effects | null {
  const effects = { ...given };
  if (Object.keys(stateChanges).length > 0) effects.state = { ...effects.state, ...stateChanges };
  if (Object.keys(effects).length === 0) return null;
  const parsed = Effects.safeParse(effects);
  if (!parsed.success) throw invalid(`its effects do not fit: ${problemsOf(parsed.error)}`);
  const rows = parsed.data.accounting;
  if (rows && accountingGap(rows) !== 0) {
    throw invalid(
      `its rows do not add up: in ${rows.in} + generated ${rows.generated} is not ` +
        `out ${rows.out} + quarantined ${rows.quarantined} + merged away ${rows.mergedAway} + ` +
        `filtered ${rows.filtered}`,
    );
  }
  return parsed.data;
}

function plainOutcome(value: OutcomeValue): TaskOutcome<unknown> {
  return { ...value, kind: outcomeKind(value) } as unknown as TaskOutcome<unknown>;
}

function checkedOutput(shape: z.ZodType, output: unknown): unknown {
  const parsed = shape.safeParse(output);
  if (parsed.success) return parsed.data;
  throw invalid(`the output does not fit what is declared: ${problemsOf(parsed.error)}`);
}

function invalid(problem: string): AppError {
  return new AppError("INVALID", `The task ended without a valid outcome: ${problem}`, {
    detail: { endReason: "invalid_outcome" },
  });
}

function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 200);
  } catch {
    return `a ${typeof value}`;
  }
}

function cut(text: string): string {
  return text.slice(0, 500);
}
