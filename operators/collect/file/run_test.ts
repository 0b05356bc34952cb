import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { z } from "zod";
import { sha256 } from "../../../src/base/hash.ts";
import type { RawFiles } from "../../../src/model/data.ts";
import { FinalError, type TaskOutcome } from "../../../src/sdk/operator.ts";
import { EagerClock } from "../../../tests/support/eager_clock.ts";
import { type TestTask, testTask } from "../../../tests/support/task_context.ts";
import { globToRegExp } from "../../../src/base/glob.ts";
import { CollectFileParams } from "./mod.ts";
import { run } from "./run.ts";

type Input = z.input<typeof CollectFileParams>;
type Done = Extract<TaskOutcome<RawFiles>, { kind: "done" }>;

/** A drop folder whose files were changed at the start of 2013, unless said otherwise. */
class DropFolder implements Disposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "tidewheel-drop-" });
  readonly clock = new EagerClock("2013-03-01T22:00:00Z");

  drop(name: string, text: string, at = "2013-01-01T00:00:00Z"): void {
    const path = `${this.dir}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, new Date(at), new Date(at));
  }

  names(below = ""): string[] {
    return [...Deno.readDirSync(`${this.dir}/${below}`)].map((entry) => entry.name).sort();
  }

  task(options: { date?: string; state?: Record<string, unknown> } = {}): TestTask {
    return testTask({ clock: this.clock, ...options });
  }

  collect(task: TestTask, params: Partial<Input> = {}): Promise<TaskOutcome<RawFiles>> {
    const parsed = CollectFileParams.parse({ source: "desk.bars", folder: this.dir, ...params });
    return run({ params: parsed, inputs: {}, ctx: task.ctx });
  }

  async collected(task: TestTask, params: Partial<Input> = {}): Promise<Done> {
    const outcome = await this.collect(task, params);
    assertEquals(outcome.kind, "done");
    return outcome as Done;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

const namesOf = ({ output }: Done) => output.files.map((file) => file.name);

Deno.test("collect.file takes what matches, in order, and leaves what is not meant", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("b.csv", "2");
  folder.drop("a.csv", "1");
  for (const name of ["c.txt", ".d.csv", "e.csv.part", "f.csv~", "g.csv.sha256"]) {
    folder.drop(name, "x");
  }
  folder.drop("below/h.csv", "3");
  Deno.symlinkSync(`${folder.dir}/c.txt`, `${folder.dir}/link.csv`);

  const flat = await folder.collected(task, { pattern: "*.csv" });
  const deep = await folder.collected(task, { pattern: "**/*.csv", recursive: true });

  assertEquals(namesOf(flat), ["a.csv", "b.csv"]);
  assertEquals(namesOf(deep), ["a.csv", "b.csv", "below/h.csv"]);
  assertEquals(task.text(flat.output.files[1]), "2");
  assertEquals(flat.effects!.publish!.map((p) => [p.dataset, p.partition]), [
    ["raw.desk.bars", "2013-03-01"],
  ]);
});

Deno.test("collect.file takes a file once, and gives its own partition the same files again", async () => {
  using folder = new DropFolder();
  using day = folder.task();
  folder.drop("a.csv", "1");
  const first = await folder.collected(day);
  day.commit(first.effects);
  using nextDay = folder.task({ date: "2013-03-02", state: first.effects!.state });

  const again = await folder.collected(day);
  const next = await folder.collect(nextDay);

  assertEquals(again.output.files, first.output.files);
  assertEquals(again.effects!.publish, []);
  assertEquals(next, { kind: "skip", reason: `${folder.dir} has 0 of 1 files like *` });
});

Deno.test("collect.file adds a late file to its partition as a new version", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "1");
  task.commit((await folder.collected(task)).effects);
  folder.drop("b.csv", "2");

  const second = await folder.collected(task);

  assertEquals(namesOf(second), ["a.csv", "b.csv"]);
  assertEquals(second.effects!.publish![0].files.length, 2);
});

Deno.test("collect.file knows content again under another name, and notes when", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "same");
  task.commit((await folder.collected(task)).effects);
  folder.drop("a_copy.csv", "same");

  const second = await folder.collected(task);
  const taking = await folder.collected(task, { sameContent: "take" });

  assertEquals(namesOf(second), ["a.csv"]);
  assertEquals(second.effects!.metrics!.seenAgain, 1);
  const [, copy] = second.effects!.state!["file.taken"] as Record<string, unknown>[];
  assertEquals([copy.path, copy.seenAgainAt], ["a_copy.csv", folder.clock.now().toISOString()]);
  assertEquals(namesOf(taking), ["a.csv", "a_copy.csv"]);
});

Deno.test("collect.file lets other content of a name take the older one's place, or keeps both", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "<html>broken");
  folder.drop("b.csv", "whole");
  task.commit((await folder.collected(task)).effects);
  folder.drop("a.csv", "other", "2013-01-02T00:00:00Z");

  const both = await folder.collected(task, { sameName: "keep_both" });
  const corrected = await folder.collected(task);
  task.commit(corrected.effects);
  const again = await folder.collected(task);
  const texts = ({ output }: Done) => output.files.map((file) => task.text(file));

  assertEquals(texts(both), ["<html>broken", "whole", "other"]);
  assertEquals(texts(corrected), ["whole", "other"]);
  assertEquals(corrected.effects!.publish![0].files, corrected.output.files);
  assertEquals(corrected.effects!.metrics!.replaced, 1);
  assertEquals(texts(again), ["whole", "other"]);
});

Deno.test("collect.file lets a file go whose name came again with another file's content", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "<html>broken");
  folder.drop("b.csv", "whole");
  task.commit((await folder.collected(task)).effects);
  folder.drop("a.csv", "whole", "2013-01-02T00:00:00Z");

  assertEquals(namesOf(await folder.collected(task)), ["b.csv"]);
});

Deno.test("collect.file leaves a file that still grows", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("whole.csv", "1");
  folder.drop("growing.csv", "1", "2013-03-01T21:59:59.500Z");
  const sleep = folder.clock.sleep.bind(folder.clock);
  folder.clock.sleep = (ms, options) => {
    folder.drop("growing.csv", "12", "2013-03-01T22:00:01Z");
    return sleep(ms, options);
  };

  const first = await folder.collected(task);
  folder.clock.sleep = sleep;
  task.commit(first.effects);
  const second = await folder.collected(task);

  assertEquals(namesOf(first), ["whole.csv"]);
  assertEquals(first.effects!.metrics!.notWhole, 1);
  assertEquals(namesOf(second), ["whole.csv", "growing.csv"]);
});

Deno.test("collect.file leaves an empty file until it has content, or a marker", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "");

  const before = await folder.collect(task);
  folder.drop("a.csv", "1");
  const after = await folder.collected(task);
  folder.drop("b.csv", "");
  folder.drop("b.csv.done", "");
  const marked = await folder.collected(task, { pattern: "b.csv", ready: { kind: "marker" } });

  assertStringIncludes((before as { reason: string }).reason, "and 1 that are not whole yet");
  assertEquals(namesOf(after), ["a.csv"]);
  assertEquals(namesOf(marked), ["b.csv"]);
});

Deno.test("collect.file does not take a file that changes while it is read", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "1");
  const lstat = Deno.lstat;
  let looks = 0;
  Deno.lstat = (path) => {
    if (++looks === 2) folder.drop("a.csv", "1234");
    return lstat(path);
  };
  try {
    assertEquals((await folder.collect(task)).kind, "skip");
  } finally {
    Deno.lstat = lstat;
  }
});

Deno.test("collect.file waits for the marker beside a file", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  const ready = { kind: "marker" } as const;
  folder.drop("a.csv", "1", "2013-03-01T22:00:00Z");

  const before = await folder.collect(task, { ready });
  folder.drop("a.csv.done", "");
  const after = await folder.collected(task, { ready });

  assertStringIncludes((before as { reason: string }).reason, "and 1 that are not whole yet");
  assertEquals(namesOf(after), ["a.csv"]);
});

Deno.test("collect.file comes again while there are too few files, then says so", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  const params = { filesMin: 2, waitMs: 23 * 3_600_000, pollMs: 600_000 };
  folder.drop("a.csv", "1");

  const early = await folder.collect(task, params);
  folder.clock.advance(2 * 3_600_000);

  assert(early.kind === "retryAt");
  assertEquals(early.at, new Date("2013-03-01T22:10:00Z"));
  await assertRejects(
    () => folder.collect(task, params),
    Error,
    `Cannot collect "desk.bars": ${folder.dir} has 1 of 2 files like *`,
  );
});

for (const afterwards of ["move", "delete"] as const) {
  Deno.test(`collect.file puts files away only once their version is durable: ${afterwards}`, async () => {
    using folder = new DropFolder();
    using task = folder.task();
    const params = { afterwards, ready: { kind: "marker" } } as const;
    folder.drop("a.csv", "1");
    folder.drop("a.csv.done", "");

    const lost = await folder.collected(task, params);
    const first = await folder.collected(task, params);
    assertEquals(folder.names(), ["a.csv", "a.csv.done"]);
    task.commit(first.effects);
    const second = await folder.collected(task, params);
    task.commit(second.effects);
    folder.drop("a.csv", "1");
    folder.drop("a.csv.done", "");
    const redelivered = await folder.collected(task, params);

    assertEquals(namesOf(lost), namesOf(first));
    assertEquals(second.effects!.metrics!.putAway, 1);
    assertEquals(second.output.files, first.output.files);
    assertEquals(folder.names().filter((name) => name !== "taken"), ["a.csv", "a.csv.done"]);
    if (afterwards === "move") assertEquals(folder.names("taken"), ["a.csv", "a.csv.done"]);
    assertEquals(redelivered.effects!.metrics!.taken, 0);
  });
}

Deno.test("collect.file compares with the checksum beside a file", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "1");
  folder.drop("a.csv.sha256", `${sha256("1")}  a.csv\n`);
  folder.drop("b.csv", "2");
  folder.drop("b.csv.md5", `${"0".repeat(32)}  b.csv\n`);

  assertEquals(namesOf(await folder.collected(task, { pattern: "a.*", checksum: "required" })), [
    "a.csv",
  ]);
  await assertRejects(() => folder.collect(task, { pattern: "b.*" }), Error, "its md5 is c81e728d");
  folder.drop("c.csv", "3");
  await assertRejects(
    () => folder.collect(task, { pattern: "c.*", checksum: "required" }),
    Error,
    "there is no",
  );
});

Deno.test("collect.file refuses what is too large or too many, and a folder that is not there", async () => {
  using folder = new DropFolder();
  using task = folder.task();
  folder.drop("a.csv", "12345");
  folder.drop("b.csv", "12345");

  await assertRejects(() => folder.collect(task, { bytesMax: 4 }), FinalError, "bytesMax allows 4");
  await assertRejects(() => folder.collect(task, { filesMax: 1 }), FinalError, "filesMax is 1");
  await assertRejects(() => folder.collect(task, { folder: "/nowhere" }), Error, "no such folder");
});

Deno.test("collect.file finds its folder by a connection", async () => {
  using folder = new DropFolder();
  folder.drop("a.csv", "1");
  const at = (extra: { path?: string }) =>
    testTask({ clock: folder.clock, connections: [{ connectionId: "drop", extra }] });
  using good = at({ path: folder.dir });
  using bad = at({});
  const params = { folder: undefined, connection: "drop" };

  assertEquals(namesOf(await folder.collected(good, params)), ["a.csv"]);
  await assertRejects(() => folder.collect(bad, params), FinalError, "must be an absolute path");
});

Deno.test("globToRegExp() keeps to names, folders and choices", () => {
  const matches = (pattern: string, path: string) => globToRegExp(pattern).test(path);
  assert(matches("*.csv", "a.csv") && !matches("*.csv", "x/a.csv") && !matches("*.csv", "axcsv"));
  assert(matches("**/*.csv", "a.csv") && matches("**/*.csv", "x/y/a.csv"));
  assert(matches("a?.{csv,tsv}", "ab.tsv") && !matches("a?.{csv,tsv}", "ab.txt"));
  assert(matches("a+(1).csv", "a+(1).csv"));
});
