import { assertEquals, assertStringIncludes } from "@std/assert";
import { limits } from "../../base/limits.ts";
import { AttemptEnd } from "../../contract/execution.ts";
import { TaskSpec } from "../../model/dag_spec.ts";
import { endReasons } from "../../model/end_reason.ts";
import type { AttemptClaims } from "../attempt_token.ts";
import { decideEnding } from "./ending.ts";
import { isStorable, storable } from "../../base/storable.ts";

const now = new Date("2030-01-01T00:00:00Z");
const ids = (n: number) => `0197a000-0000-7000-8000-00000000000${n}`;

function decide(
  { end = {}, task = {}, attempt = {}, chance = 0.5 }: {
    end?: Partial<Record<keyof AttemptEnd, unknown>>;
    task?: Record<string, unknown>;
    attempt?: Partial<AttemptClaims>;
    chance?: number;
  },
) {
  return decideEnding({
    attempt: {
      attemptId: ids(1),
      taskInstanceId: ids(2),
      dagRunId: ids(3),
      dagVersionId: ids(4),
      taskId: "a",
      mapIndex: -1,
      tryNumber: 1,
      maxTries: 2,
      infraLosses: 0,
      dagId: "d",
      runId: "r",
      traceParent: null,
      expiresAtS: 0,
      ...attempt,
    },
    task: TaskSpec.parse({
      taskId: "a",
      operator: "task",
      upstream: [],
      retry: { retries: 2, delayMs: 1000, backoff: "linear" },
      ...task,
    }),
    downstream: new Set(["b", "c"]),
    end: AttemptEnd.parse({
      outcome: { kind: "done", output: 1 },
      endReason: "success",
      endDate: now.toISOString(),
      ...end,
    }),
    now,
    chance,
  });
}
const failure = { outcome: null, endReason: "task_error" };

Deno.test("decideEnding() takes a done with its output, and counts a list", () => {
  const plain = decide({});
  assertEquals([plain.result, plain.output, plain.outputLength], ["succeed", 1, null]);
  const list = decide({ end: { outcome: { kind: "done", output: [1, 2] } } });
  assertEquals([list.output, list.outputLength], [[1, 2], 2]);
  const spilled = decide({ end: { outcome: { kind: "done" }, outputKey: "k", outputLength: 9 } });
  assertEquals([spilled.output, spilled.outputKey, spilled.outputLength], [null, "k", 9]);
});

Deno.test("decideEnding() skips and reschedules with the task's own reason", () => {
  const skip = decide({
    end: { outcome: { kind: "skip", reason: "holiday" }, endReason: "skipped" },
  });
  assertEquals([skip.result, skip.evidence.message], ["skip", "holiday"]);
  const at = "2030-01-01T01:00:00Z";
  const later = decide({
    end: { outcome: { kind: "retryAt", at, reason: "not there yet" }, endReason: "rescheduled" },
  });
  assertEquals([later.result, later.nextTryAt], ["reschedule", new Date(at)]);
});

Deno.test("decideEnding() retries a failure after the policy's delay while tries are left", () => {
  const first = decide({ end: failure });
  assertEquals([first.result, first.nextTryAt], ["retry", new Date(now.getTime() + 1000)]);
  const second = decide({ end: failure, attempt: { tryNumber: 2 } });
  assertEquals(second.nextTryAt, new Date(now.getTime() + 2000));
  assertEquals(decide({ end: failure, attempt: { tryNumber: 3 } }).result, "fail");
});

Deno.test("decideEnding() counts the delay anew after a clear", () => {
  const again = decide({ end: failure, attempt: { tryNumber: 4, maxTries: 5 } });
  assertEquals(again.nextTryAt, new Date(now.getTime() + 1000));
});

Deno.test("decideEnding() uses the given chance for exponential jitter", () => {
  const retry = { retries: 2, delayMs: 1000, backoff: "exponential" };
  const ending = decide({ end: failure, task: { retry }, attempt: { tryNumber: 2 }, chance: 0.25 });
  assertEquals(ending.nextTryAt, new Date(now.getTime() + 500));
});

Deno.test("decideEnding() never retries what the task called final or did not declare", () => {
  assertEquals(decide({ end: { ...failure, final: true } }).result, "fail");
  assertEquals(decide({ end: { outcome: null, endReason: "permission" } }).result, "fail");
});

Deno.test("decideEnding() requeues a lost attempt, but not for ever", () => {
  const lost = { outcome: null, endReason: "drained" };
  assertEquals(decide({ end: lost, attempt: { tryNumber: 9 } }).result, "lose");
  assertEquals(
    decide({ end: lost, attempt: { infraLosses: limits.infraLossesMax } }).result,
    "fail",
  );
});

Deno.test("decideEnding() has an ending for every end reason", () => {
  for (const endReason of Object.keys(endReasons)) {
    const { result } = decide({ end: { outcome: null, endReason } });
    assertEquals(["fail", "retry", "lose"].includes(result), true, endReason);
  }
});

Deno.test("decideEnding() fails a success whose row equation does not close, and says by how much", () => {
  const effects = { accounting: { in: 10, out: 7, quarantined: 2 } };
  const ending = decide({ end: { outcome: { kind: "done", effects } } });
  assertEquals([ending.result, ending.endReason, ending.effects], [
    "retry",
    "invalid_outcome",
    null,
  ]);
  assertStringIncludes(ending.evidence.message!, "more by 1");
});

Deno.test("decideEnding() fails an output that is too large to go inline", () => {
  const output = "x".repeat(limits.outputInlineBytes);
  const ending = decide({ end: { outcome: { kind: "done", output } } });
  assertEquals(ending.endReason, "invalid_outcome");
});

Deno.test("decideEnding() fails state and effects that are too large to keep", () => {
  const state = { cursor: "x".repeat(limits.stateBytes) };
  const metrics = { ["x".repeat(limits.effectsBytes)]: 1 };
  for (const effects of [{ state }, { metrics }]) {
    const ending = decide({ end: { outcome: { kind: "done", effects } } });
    assertEquals([ending.endReason, ending.effects], ["invalid_outcome", null]);
    assertStringIncludes(ending.evidence.message!, "at most");
  }
});

Deno.test("decideEnding() fails what PostgreSQL could not keep, before it reaches it", () => {
  for (const output of ["a\0b", { key: "\ud800" }]) {
    const ending = decide({ end: { outcome: { kind: "done", output } } });
    assertEquals(ending.endReason, "invalid_outcome");
  }
  const evidence = decide({ end: { ...failure, evidence: { message: "bad \0 byte" } } }).evidence;
  assertEquals(evidence.message, "bad \uFFFD byte");
});

Deno.test("decideEnding() checks what a branch chose", () => {
  const branch = { isBranch: true, operator: "branch" };
  const chose = (chosen: string[] | undefined) => ({ outcome: { kind: "done", chosen } });
  assertEquals(decide({ task: branch, end: chose(["b"]) }).chosen, ["b"]);
  assertEquals(decide({ task: branch, end: chose(["x"]) }).endReason, "invalid_outcome");
  assertEquals(decide({ task: branch, end: chose(undefined) }).endReason, "invalid_outcome");
  assertEquals(decide({ end: chose(["b"]) }).endReason, "invalid_outcome");
});

Deno.test("decideEnding() takes it that a short circuit which chose nothing goes on", () => {
  const gate = { isBranch: true, operator: "short_circuit" };
  const end = { outcome: { kind: "done", output: true } } as const;
  const { result, chosen } = decide({ task: gate, end });
  assertEquals([result, chosen], ["succeed", null]);
});

Deno.test("decideEnding() refuses an outcome whose end reason is another's", () => {
  assertEquals(decide({ end: { endReason: "timeout" } }).endReason, "invalid_outcome");
});

Deno.test("isStorable() tells escapes from escaped backslashes", () => {
  assertEquals(isStorable(JSON.stringify("\\u0000")), true);
  assertEquals(isStorable(JSON.stringify("\\\0")), false);
  assertEquals(isStorable(JSON.stringify("😀")), true);
  assertEquals(storable({ a: ["\0", "ok"] }), { a: ["\uFFFD", "ok"] });
});

const thrown = (name: string) => ({
  ...failure,
  evidence: { message: "x", error: { name, classes: [name, "Error"] } },
});

Deno.test("decideEnding() goes by the first retry rule that fits, and writes down which", () => {
  const retry = {
    retries: 2,
    delayMs: 1000,
    rules: [
      { error: "VendorDown", action: "retry", delayMs: 600_000, reason: "maintenance" },
      { error: "BadRequest", action: "fail" },
      { error: "Odd", action: "default" },
    ],
  };
  const by = (name: string, attempt = {}) =>
    decide({ task: { retry }, attempt, end: thrown(name) });
  const down = by("VendorDown");
  assertEquals([down.result, down.nextTryAt?.getTime()], ["retry", now.getTime() + 600_000]);
  assertEquals(
    down.evidence.retryReason,
    "retry rule 1 (error VendorDown): tried again after 600 s: maintenance",
  );
  const bad = by("BadRequest");
  assertEquals([bad.result, bad.nextTryAt], ["fail", null]);
  assertEquals(bad.evidence.retryReason, "retry rule 2 (error BadRequest): not tried again");
  for (const name of ["Odd", "TypeError"]) {
    const { result, nextTryAt, evidence } = by(name);
    assertEquals([result, nextTryAt?.getTime()], ["retry", now.getTime() + 1000]);
    assertEquals(evidence.retryReason, undefined);
  }
  // Never more often than retries says, and never what the task called final.
  assertEquals(by("VendorDown", { tryNumber: 3 }).result, "fail");
  const final = decide({ task: { retry }, end: { ...thrown("VendorDown"), final: true } });
  assertEquals(final.result, "fail");
});

Deno.test("decideEnding() gives a rule for an end reason its say", () => {
  const retry = { retries: 2, rules: [{ endReason: "timeout", action: "fail" }] };
  const ended = (endReason: string) => decide({ task: { retry }, end: { ...failure, endReason } });
  assertEquals([ended("timeout").result, ended("memory_limit").result], ["fail", "retry"]);
  assertEquals(ended("drained").result, "lose");
});
