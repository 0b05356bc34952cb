/** @module How an attempt ended, decided from its supervisor's word and its task's policy. Pure. */
import { limits } from "../../base/limits.ts";
import type { AttemptEnd } from "../../contract/execution.ts";
import { accountingGap } from "../../model/data.ts";
import type { TaskSpec } from "../../model/dag_spec.ts";
import {
  type EndEvidence,
  type EndReason,
  infrastructureReasons,
  outcomeReasons,
} from "../../model/end_reason.ts";
import type { Effects, Outcome } from "../../model/outcome.ts";
import { type RetryBudget, retryDelayMs, retryRuleFor, ruleText } from "../../model/retry.ts";
import { timeoutOf } from "../../model/trigger.ts";
import type { AttemptEnding, Parked } from "../../store/port.ts";
import type { AttemptClaims } from "../attempt_token.ts";
import { isStorable, storable } from "../../base/storable.ts";

/** What a decision is made from. */
export interface EndingFacts {
  attempt: AttemptClaims;
  task: TaskSpec;
  /** Of its DAG. */
  retryBudget?: RetryBudget;
  /** Direct downstream tasks, for a branch. */
  downstream: ReadonlySet<string>;
  end: AttemptEnd;
  now: Date;
  /** Uniform in [0, 1): the jitter of a retry. */
  chance: number;
}

/** Reasons after which another try would end the same. */
const finalReasons: ReadonlySet<EndReason> = new Set(["permission", "cancelled", "cleared"]);

/** The ending to write. A success that does not hold becomes a failure that says why. */
export function decideEnding(facts: EndingFacts): AttemptEnding {
  const { end } = facts;
  const wrong = whatIsWrong(facts);
  if (wrong) return failed(facts, "invalid_outcome", { ...end.evidence, message: wrong });
  const { outcome } = end;
  if (outcome === null) return failed(facts, end.endReason, end.evidence);
  switch (outcome.kind) {
    case "done":
      return {
        ...base(facts, "success", end.evidence),
        result: "succeed",
        output: end.outputKey === null ? outcome.output ?? null : null,
        outputKey: end.outputKey,
        outputLength: end.outputLength ??
          (Array.isArray(outcome.output) ? outcome.output.length : null),
        chosen: outcome.chosen ?? null,
        effects: outcome.effects ?? null,
      };
    case "skip": {
      const why = outcome.reason ? { message: outcome.reason } : {};
      return { ...base(facts, "skipped", { ...end.evidence, ...why }), result: "skip" };
    }
    case "retryAt":
      return {
        ...base(facts, "rescheduled", { ...end.evidence, message: outcome.reason }),
        result: "reschedule",
        nextTryAt: new Date(outcome.at),
      };
    case "defer":
      return {
        ...base(facts, "deferred", end.evidence),
        result: "defer",
        ...parked(outcome, { trigger: outcome.trigger, timeout: timeoutOf(outcome) }),
      };
    case "ask":
      return {
        ...base(facts, "awaiting_input", end.evidence),
        result: "ask",
        ...parked(outcome, {
          question: outcome.question,
          timeout: timeoutOf({ ...outcome, onTimeout: "fail" }),
        }),
      };
  }
}

function parked({ deadline }: { deadline: string | null }, what: Parked) {
  return { nextTryAt: deadline === null ? null : new Date(deadline), parked: what };
}

/** The failure that stands for a success which the store refused. */
export function decideRefused(facts: EndingFacts, why: string): AttemptEnding {
  return failed(facts, "invalid_outcome", { ...facts.end.evidence, message: why });
}

function failed(facts: EndingFacts, reason: EndReason, evidence: EndEvidence): AttemptEnding {
  const { attempt, task, end, now, chance } = facts;
  const ending = base(facts, reason, evidence);
  if (infrastructureReasons.has(reason)) {
    const lost = attempt.infraLosses >= limits.infraLossesMax ? "fail" : "lose";
    return { ...ending, result: lost };
  }
  const isLast = attempt.tryNumber > attempt.maxTries;
  if (isLast || end.final || finalReasons.has(reason)) return { ...ending, result: "fail" };
  const found = retryRuleFor(task.retry, reason, ending.evidence);
  const because = (what: string) => {
    if (!found || found.rule.action === "default") return ending.evidence;
    const why = found.rule.reason === undefined ? "" : `: ${found.rule.reason}`;
    const retryReason = `${ruleText(found.rule, found.number)}: ${what}${why}`;
    return { ...ending.evidence, retryReason };
  };
  if (found?.rule.action === "fail") {
    return { ...ending, evidence: because("not tried again"), result: "fail" };
  }
  const tries = Math.max(1, attempt.tryNumber - (attempt.maxTries - task.retry.retries));
  const delayMs = found?.rule.delayMs ?? retryDelayMs(task.retry, tries, chance);
  return {
    ...ending,
    evidence: because(`tried again after ${delayMs / 1000} s`),
    result: "retry",
    nextTryAt: new Date(now.getTime() + delayMs),
    ...(facts.retryBudget ? { retryBudget: facts.retryBudget } : {}),
  };
}

function base({ attempt, task, end }: EndingFacts, endReason: EndReason, evidence: EndEvidence) {
  return {
    attemptId: attempt.attemptId,
    endReason,
    evidence: storable(evidence) as EndEvidence,
    endDate: new Date(end.endDate),
    nextTryAt: null,
    output: null,
    outputKey: null,
    outputLength: null,
    chosen: null,
    effects: null,
    ...(end.renderedMapIndex === undefined
      ? {}
      : { renderedMapIndex: storable(end.renderedMapIndex) as string }),
    rssBytesMax: end.rssBytesMax,
    cpuMs: end.cpuMs,
    isHeard: task.callbacks !== undefined,
  } satisfies Partial<AttemptEnding>;
}

/** Why an outcome cannot be taken at its word, or null. */
function whatIsWrong({ task, downstream, end }: EndingFacts): string | null {
  const { outcome } = end;
  if (outcome === null) {
    return Object.values(outcomeReasons).includes(end.endReason as "success")
      ? `The end reason "${end.endReason}" came without an outcome`
      : null;
  }
  if (end.endReason !== outcomeReasons[outcome.kind]) {
    return `The outcome "${outcome.kind}" came with the end reason "${end.endReason}", not ` +
      `"${outcomeReasons[outcome.kind]}"`;
  }
  if (outcome.kind === "defer" || outcome.kind === "ask") return wrongWait(task, outcome);
  if (outcome.kind !== "done") return null;
  return wrongOutput(end) ?? wrongChoice(task, downstream, outcome.chosen) ??
    wrongEffects(outcome.effects);
}

/** The triggers service looks on behalf of the task: it looks at nothing that the task may not. */
function wrongWait(task: TaskSpec, outcome: Extract<Outcome, { kind: "defer" | "ask" }>) {
  const text = JSON.stringify(outcome);
  if (text.length > limits.parkedBytes) return tooMuch("wait", text.length, "parkedBytes");
  if (!isStorable(text)) return "The wait has text that PostgreSQL cannot keep";
  if (outcome.kind !== "defer" || outcome.trigger.kind !== "file") return null;
  const { path } = outcome.trigger;
  const mayRead = task.permissions.read.some((allowed) => isWithin(path, allowed));
  return mayRead ? null : `It waits for ${path}, which is in no folder that it may read: ` +
    `${task.permissions.read.join(", ") || "there is none"}; add it to permissions.read`;
}

function isWithin(path: string, folder: string): boolean {
  if (path.split("/").includes("..")) return false;
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function wrongOutput(end: AttemptEnd): string | null {
  const output = end.outcome?.kind === "done" ? end.outcome.output ?? null : null;
  if (Array.isArray(output) && output.length > limits.mapLength) {
    return `The output has ${output.length} items, at most ${limits.mapLength} can be`;
  }
  if (end.outputKey !== null || output === null) return null;
  const text = JSON.stringify(output);
  if (text.length > limits.outputInlineBytes) {
    return `The output has ${text.length} bytes, at most ${limits.outputInlineBytes} go inline; ` +
      "put it into object storage and send its key";
  }
  return isStorable(text) ? null : "The output has text with a NUL or half a surrogate pair: " +
    "PostgreSQL cannot keep it";
}

function wrongChoice(
  task: TaskSpec,
  downstream: ReadonlySet<string>,
  chosen: string[] | undefined,
): string | null {
  if (chosen === undefined) {
    // A short circuit that goes on, goes on with everything.
    return task.operator === "branch" ? "A branch must choose, if only an empty list" : null;
  }
  if (!task.isBranch) return `Task "${task.taskId}" chose a branch, but it is not a branch`;
  const stranger = chosen.find((id) => !downstream.has(id));
  return stranger === undefined
    ? null
    : `It chose "${stranger}", which is not directly downstream of it: ` +
      `${[...downstream].join(", ") || "nothing is"}`;
}

function wrongEffects(effects: Effects | undefined): string | null {
  if (!effects) return null;
  const rows = effects.accounting;
  const gap = rows ? accountingGap(rows) : 0;
  if (rows && gap !== 0) {
    return `The row equation does not close: in ${rows.in} + generated ${rows.generated} is ` +
      `${gap > 0 ? "more" : "less"} by ${Math.abs(gap)} than out ${rows.out} + quarantined ` +
      `${rows.quarantined} + merged away ${rows.mergedAway} + filtered ${rows.filtered}`;
  }
  const stateBytes = effects.state ? JSON.stringify(effects.state).length : 0;
  if (stateBytes > limits.stateBytes) return tooMuch("state that it set", stateBytes, "stateBytes");
  const text = JSON.stringify(effects);
  if (text.length > limits.effectsBytes) return tooMuch("effects", text.length, "effectsBytes");
  return isStorable(text)
    ? null
    : "The effects have text with a NUL or half a surrogate pair: PostgreSQL cannot keep it";
}

function tooMuch(
  what: string,
  bytes: number,
  limit: "stateBytes" | "effectsBytes" | "parkedBytes",
): string {
  return `The ${what} has ${bytes} bytes of JSON, at most ${
    limits[limit]
  } can be; put large data ` +
    "into files with ctx.files.put()";
}
