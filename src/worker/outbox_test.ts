import { assertEquals } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import type { AttemptEnd, CallResult, ExecutionCall } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";
import { failedEnd } from "./ending.ts";
import { Outbox, type Sender } from "./outbox.ts";

interface World {
  clock: VirtualClock;
  outbox: Outbox;
  /** "call attempt" of each batch. */
  batches: string[][];
  /** All ends that were sent. */
  ends: AttemptEnd[];
  /** Answers to the next batches; then everything is 200. An error: the API is away. */
  answers: (CallResult[] | AppError | Promise<CallResult[]>)[];
  refused: string[];
  open(attemptId: string): Sender;
}

function world(): World {
  const clock = new VirtualClock();
  const batches: string[][] = [];
  const ends: AttemptEnd[] = [];
  const answers: World["answers"] = [];
  const refused: string[] = [];
  const api = {
    async batch(calls: readonly ExecutionCall[]): Promise<CallResult[]> {
      batches.push(calls.map(({ call, attemptId }) => `${call} ${attemptId}`));
      for (const call of calls) if (call.call === "end") ends.push(call.end);
      const answer = await answers.shift();
      if (answer instanceof AppError) throw answer;
      return answer ?? calls.map(() => ({ status: 200 }));
    },
  };
  const outbox = new Outbox({ api, clock, random: { next: () => 0 }, log: silentLogger });
  const open = (attemptId: string) =>
    outbox.open({
      attemptId,
      token: "t",
      onRefused: ({ status }) => refused.push(`${attemptId} ${status}`),
    });
  return { clock, outbox, batches, ends, answers, refused, open };
}

const end: AttemptEnd = {
  ...failedEnd("task_error", {}),
  endDate: "2030-01-01T00:00:00.000Z",
  rssBytesMax: null,
  cpuMs: null,
};
const line = (message: string) => ({ level: "INFO" as const, from: "task" as const, message });
const away = new AppError("UNAVAILABLE", "Cannot report attempts: it is away");
/** Let everything that waits for nothing but its turn happen. */
const turns = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

Deno.test("Outbox sends at once when idle, and what comes meanwhile in one request", async () => {
  const at = world();
  const first = Promise.withResolvers<CallResult[]>();
  at.answers.push(first.promise);
  const ended = [at.open("a").end(end)];
  await turns();
  ended.push(at.open("b").end(end), at.open("c").end(end));
  await turns();
  assertEquals(at.batches, [["end a"]]);

  first.resolve([{ status: 200 }]);
  assertEquals((await Promise.all(ended)).map(({ status }) => status), [200, 200, 200]);
  assertEquals(at.batches, [["end a"], ["end b", "end c"]]);
});

Deno.test("Outbox keeps lines for company, at most 200 ms, and sends them before the end", async () => {
  const at = world();
  const a = at.open("a");
  a.log.add(line("one"));
  at.clock.advance(199);
  await turns();
  assertEquals(at.batches, []);
  at.clock.advance(1);
  await turns();
  assertEquals(at.batches, [["log a"]]);

  a.log.add(line("two"));
  await a.end(end);
  assertEquals(at.batches[1], ["log a", "end a"]);
});

Deno.test("Outbox sends more lines than a call holds in several, the end behind all of them", async () => {
  const at = world();
  const a = at.open("a");
  for (let i = 0; i < 2_500; i++) a.log.add(line(`${i}`));
  await a.end(end);

  assertEquals(at.batches, [["log a"], ["log a"], ["log a", "end a"]]);
});

Deno.test("Outbox waits after trouble, also with more lines and an end behind them", async () => {
  const at = world();
  at.answers.push([{ status: 507 }], [{ status: 204 }], [{ status: 507 }]);
  const a = at.open("a");
  for (let i = 0; i < 1_500; i++) a.log.add(line(`${i}`));
  const ended = a.end(end);
  await turns();
  assertEquals(at.batches, [["log a"]]);

  a.log.add(line("another"));
  at.clock.advance(249);
  await turns();
  assertEquals(at.batches, [["log a"]]);
  a.heartbeat();
  await turns();
  assertEquals(at.batches, [["log a"], ["heartbeat a"]]);
  at.clock.advance(1);
  await turns();
  assertEquals(at.batches.length, 3);
  at.clock.advance(500);
  await turns();

  assertEquals((await ended).status, 200);
  assertEquals(at.batches.slice(2), [["log a"], ["log a"], ["log a", "end a"]]);
});

Deno.test("Outbox waits once for lines and an end of which neither was taken", async () => {
  const at = world();
  const full = { status: 507, reason: "the disk is full" } as const;
  at.answers.push([full, full], [full, full]);
  const a = at.open("a");
  a.log.add(line("one"));
  const ended = a.end(end);
  await turns();
  assertEquals(at.outbox.trouble, "the disk is full");
  for (const ms of [250, 500, 2_000]) {
    at.clock.advance(ms);
    await turns();
  }

  assertEquals((await ended).status, 200);
  assertEquals(at.batches.length, 3);
  assertEquals(at.outbox.trouble, null);
});

Deno.test("Outbox splits what is more than a batch", async () => {
  const at = world();
  const count = limits.executionBatch + 1;
  await Promise.all(Array.from({ length: count }, (_, i) => at.open(`${i}`).end(end)));

  assertEquals(at.batches.map((batch) => batch.length), [limits.executionBatch, 1]);
});

Deno.test("Outbox keeps everything while the API is away, and sends it when it is back", async () => {
  const at = world();
  at.answers.push(away, away);
  const a = at.open("a");
  a.log.add(line("one"));
  a.heartbeat();
  const ended = a.end(end);
  await turns();
  assertEquals(at.outbox.isReachable, false);
  at.clock.advance(50);
  await turns();
  at.clock.advance(100);

  assertEquals((await ended).status, 200);
  assertEquals(at.batches, [["log a", "end a"], ["log a", "end a"], ["log a", "end a"]]);
  assertEquals(at.outbox.isReachable, true);
});

Deno.test("Outbox sends again what the API has trouble with, and only that", async () => {
  const at = world();
  at.answers.push([{ status: 200 }, { status: 507 }]);
  const ended = [at.open("a").end(end), at.open("b").end(end)];
  await ended[0];
  at.clock.advance(250);

  assertEquals((await ended[1]).status, 200);
  assertEquals(at.batches, [["end a", "end b"], ["end b"]]);
});

Deno.test("Outbox tells an attempt that it is refused, and takes a renewed token", async () => {
  const at = world();
  const [a, b] = [at.open("a"), at.open("b")];
  at.answers.push([{ status: 409, reason: "cancelling" }, { status: 204, token: "new" }]);
  a.heartbeat();
  b.heartbeat();
  await turns();

  assertEquals(at.refused, ["a 409"]);
  assertEquals(b.token, "new");
});

Deno.test("Outbox gives up on what is left when it is closed", async () => {
  const at = world();
  at.answers.push(away);
  const ended = at.open("a").end(end);
  await turns();
  const closed = at.outbox.close(0);
  at.clock.advance(0);
  await closed;

  assertEquals((await ended).status, 500);
});

Deno.test("Outbox sends halves of a request that is too large, and its end without what it carries", async () => {
  const at = world();
  const tooLarge = new AppError("TOO_LARGE", "Cannot report attempts: over 64 MB");
  at.answers.push(tooLarge, [{ status: 200 }], tooLarge);
  const done = { ...end, outcome: { kind: "done" as const }, endReason: "success" as const };
  const ended = ["a", "b"].map((id) => at.open(id).end(done));

  assertEquals((await Promise.all(ended)).map(({ status }) => status), [200, 200]);
  assertEquals(at.batches, [["end a", "end b"], ["end a"], ["end b"], ["end b"]]);
  assertEquals(at.ends.at(-1)?.endReason, "invalid_outcome");
  assertEquals(at.ends.at(-1)?.outcome, null);
});
