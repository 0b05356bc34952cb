import { assertEquals } from "@std/assert";
import { dagFile, dagsFolder } from "../../tests/support/dags_folder.ts";
import { systemClock, VirtualClock } from "../base/clock.ts";
import { watchFolder } from "./watch.ts";

/** A watch that says what the test tells it to. */
function toldWatch() {
  let tell = () => {};
  const watch = async function* (_dir: string, signal: AbortSignal) {
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        tell = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      yield;
    }
  };
  return { watch, tell: () => tell() };
}

/** Hints one after the other. */
function hintQueue() {
  const waiting: string[][] = [];
  let wake = () => {};
  return {
    onHint: ({ ids }: { ids: string[] }) => {
      waiting.push(ids);
      wake();
    },
    async next(): Promise<string[]> {
      while (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return waiting.shift()!;
    },
  };
}

/** Let everything that waits for nothing but its turn go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("a change is taken 50 ms after the watch tells of it, else by the next sweep", async () => {
  const clock = new VirtualClock();
  await using at = await dagsFolder({ "a.ts": dagFile("a") }, { clock });
  const { watch, tell } = toldWatch();
  const { onHint, next } = hintQueue();
  const parser = at.parser({ watch, onHint });
  await parser.start();
  assertEquals(await next(), ["a"]);
  await parser.runOnce();
  await settle();

  await at.write({ "b.ts": dagFile("b") });
  tell();
  await settle();
  clock.advance(50);
  assertEquals(await next(), ["b"]);
  await parser.runOnce();
  await settle();

  await at.write({ "c.ts": dagFile("c") });
  clock.advance(5_000);
  assertEquals(await next(), ["c"]);
});

Deno.test("parserService() ends a parse that runs when it is stopped, and can start again", async () => {
  const clock = new VirtualClock();
  await using at = await dagsFolder({ "a.ts": dagFile("a") }, { clock });
  const { onHint, next } = hintQueue();
  const parser = at.parser({ watch: toldWatch().watch, onHint });
  await parser.start();
  await next();
  // Nothing but the stop ends this one: the clock stands still.
  await at.write({ "loops.ts": dagFile("loops", "1", "for (;;) ;\n") });
  const pass = parser.runOnce().then(() => "ended", () => "stopped");
  await parser.stop();
  assertEquals(await pass, "stopped");

  await at.write({ "loops.ts": dagFile("mended") });
  await parser.start();
  assertEquals(await next(), ["mended"]);
});

Deno.test("watchFolder() tells of a new file in a new folder, and ends with its signal", async () => {
  await using at = await dagsFolder({}, { clock: systemClock });
  const controller = new AbortController();
  const events = watchFolder(at.dagsDir, controller.signal);
  const first = events.next();
  await at.write({ "vendors/a.ts": dagFile("a") });

  assertEquals((await first).done, false);
  controller.abort();
  for (let event = await events.next(); !event.done;) event = await events.next();
});

Deno.test("a file that loops while it is imported keeps no other waiting", async () => {
  await using at = await dagsFolder(
    { "loops.ts": dagFile("loops", "1", "for (;;) ;\n") },
    { clock: systemClock },
  );
  const { watch, tell } = toldWatch();
  const { onHint, next } = hintQueue();
  const parser = at.parser({ watch, onHint, limits: { ms: 60_000 } });
  await parser.start();
  await at.write({ "b.ts": dagFile("b") });
  await settle();
  tell();

  assertEquals(await next(), ["b"]);

  assertEquals(at.store.importErrors.size, 0);
  await parser.stop();
});
