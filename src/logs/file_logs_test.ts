import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import type { LogLine } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import { fileLogs } from "./file_logs.ts";
import { logKey } from "./log_key.ts";
import type { AttemptPhase } from "./port.ts";

function world({ bytesMax }: { bytesMax?: number } = {}) {
  const dir = Deno.makeTempDirSync({ prefix: "tw-logs-" });
  const clock = new VirtualClock();
  const objects = memoryObjectStore({ clock });
  const phases = new Map<string, AttemptPhase>();
  const ids = seededIds(clock, seededRandom(1));
  const open = () =>
    fileLogs({
      dir,
      objects,
      clock,
      log: silentLogger,
      bytesMax,
      phases: (which) =>
        Promise.resolve(new Map(which.map((id) => [id, phases.get(id) ?? "missing"]))),
    });
  return {
    dir,
    clock,
    objects,
    phases,
    open,
    logs: open(),
    id: ids.uuid(),
    [Symbol.dispose]: () => Deno.removeSync(dir, { recursive: true }),
  };
}

const line = (message: string): LogLine => ({
  at: "2030-01-01T00:00:00.000Z",
  level: "INFO",
  from: "task",
  message,
});
const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => line(`line ${from + i}`));

async function messages(logs: ReturnType<typeof fileLogs>, id: string) {
  const all: string[] = [];
  for (let offset = 0;;) {
    const chunk = await logs.read(id, offset);
    all.push(...chunk.lines.map((each) => `${each.n} ${each.message}`));
    if (chunk.nextOffset === offset) return all;
    offset = chunk.nextOffset;
  }
}

Deno.test("append() keeps lines that can be read at once, and drops those it has by number", async () => {
  using w = world();
  w.logs.begin(w.id);
  assertEquals(await w.logs.append(w.id, 0, lines(0, 2)), { next: 2, open: true });
  assertEquals(await w.logs.append(w.id, 1, lines(1, 2)), { next: 3, open: true });
  assertEquals(await w.logs.append(w.id, 0, lines(0, 3)), { next: 3, open: true });
  assertEquals(await messages(w.logs, w.id), ["0 line 0", "1 line 1", "2 line 2"]);
});

Deno.test("append() goes on after a restart and cuts off what a crash left half written", async () => {
  using w = world();
  await w.logs.append(w.id, 0, lines(0, 3));
  Deno.writeTextFileSync(`${w.dir}/${logKey(w.id)}`, '{"n":3,"at":"20', { append: true });

  const restarted = w.open();
  await restarted.append(w.id, 2, lines(2, 3));

  assertEquals((await messages(restarted, w.id)).at(-1), "4 line 4");
  assertEquals((await messages(restarted, w.id)).length, 5);
});

Deno.test("end() moves the log into object storage, where it is read the same", async () => {
  using w = world();
  await w.logs.append(w.id, 0, lines(0, 100));
  const before = await messages(w.logs, w.id);
  w.logs.end(w.id);
  await w.logs.settle();

  assertEquals(await messages(w.logs, w.id), before);
  assert(await w.objects.stat(`logs/${logKey(w.id)}`));
  assertEquals([...Deno.readDirSync(`${w.dir}/${logKey(w.id).split("/")[0]}`)], []);
});

Deno.test("append() to a log that was put away says that it is closed, also after a restart", async () => {
  using w = world();
  await w.logs.append(w.id, 0, lines(0, 1));
  w.logs.end(w.id);
  await w.logs.settle();
  assertEquals(await w.logs.append(w.id, 1, lines(1, 1)), { next: 2, open: false });
  assertEquals((await w.open().append(w.id, 1, lines(1, 1))).open, false);
});

Deno.test("sweep() puts away logs of attempts that ended unseen and removes those without a row", async () => {
  using w = world();
  const ids = seededIds(w.clock, seededRandom(2));
  const [ended, live, missing] = [ids.uuid(), ids.uuid(), ids.uuid()];
  w.phases.set(ended, "ended").set(live, "live");
  for (const id of [ended, live, missing]) await w.logs.append(id, 0, lines(0, 1));

  const restarted = w.open();
  await restarted.sweep();
  await restarted.settle();

  assert(await w.objects.stat(`logs/${logKey(ended)}`));
  assertEquals(await w.objects.stat(`logs/${logKey(live)}`), null);
  assertEquals((await messages(restarted, missing)).length, 0);
  assertEquals((await messages(restarted, live)).length, 1);
});

Deno.test("append() cuts a line that is too long and says so", async () => {
  using w = world();
  await w.logs.append(w.id, 0, [line("é".repeat(limits.logLineBytes)), line("next")]);
  const { lines: [cut, next] } = await w.logs.read(w.id, 0);
  assertStringIncludes(cut.message, "(cut: the line had");
  assertEquals(next.message, "next");
});

Deno.test("append() closes a log at its limit with a note, once", async () => {
  using w = world({ bytesMax: 500 });
  await w.logs.append(w.id, 0, lines(0, 50));
  await w.open().append(w.id, 50, lines(50, 50));
  await w.logs.append(w.id, 50, lines(50, 50));
  const all = await messages(w.logs, w.id);
  assert(all.length < 10);
  assertEquals(all.filter((each) => each.includes("later lines are dropped")).length, 1);
});

Deno.test("changed() resolves when a line comes, when the attempt ends, or when time is up", async () => {
  using w = world();
  const line1 = w.logs.changed(w.id, 60_000);
  await w.logs.append(w.id, 0, lines(0, 1));
  await line1;
  const ended = w.logs.changed(w.id, 60_000);
  w.logs.end(w.id);
  await ended;
  const late = w.logs.changed(w.id, 60_000);
  w.clock.advance(60_000);
  await late;
  await w.logs.settle();
});

Deno.test("read() of an attempt without a log gives no lines", async () => {
  using w = world();
  assertEquals(await w.logs.read(w.id, 0), { lines: [], nextOffset: 0, more: false });
});

Deno.test("append() after a write that a full disk cut short leaves no torn line", async () => {
  using w = world();
  await w.logs.append(w.id, 0, lines(0, 2));
  const write = Deno.writeFileSync;
  Deno.writeFileSync = (path, data, options) => {
    write(path, data.subarray(0, 120), options);
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
  try {
    const error = await assertRejects(() => w.logs.append(w.id, 2, lines(2, 3)), AppError);
    assertEquals(error.code, "DISK_FULL");
  } finally {
    Deno.writeFileSync = write;
  }

  assertEquals(await w.logs.append(w.id, 2, lines(2, 3)), { next: 5, open: true });

  assertEquals(
    await messages(w.logs, w.id),
    ["0 line 0", "1 line 1", "2 line 2", "3 line 3", "4 line 4"],
  );
});
