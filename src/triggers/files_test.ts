import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import type { FilesSpec } from "../model/watch_spec.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import type { NewDatasetEvent } from "../store/port.ts";
import { FileWatch } from "./files.ts";

const spec = (over: Partial<FilesSpec>): FilesSpec => ({
  kind: "files",
  folder: null,
  objects: null,
  pattern: "*.csv",
  settleMs: 30_000,
  marker: null,
  ...over,
});

/** A folder, a watch over it, and what it recorded. */
async function drop(over: Partial<FilesSpec> = {}) {
  const folder = await Deno.makeTempDir({ prefix: "tw_drop_" });
  const clock = new VirtualClock("2030-01-01T00:00:00Z");
  const events = new Map<string, NewDatasetEvent>();
  const objects = memoryObjectStore({ clock });
  const watch = () =>
    new FileWatch({
      ...{ dataset: "files", clock, objects, spec: spec({ folder, ...over }) },
      known: () =>
        Promise.resolve([...events.values()].map(({ extra }) => ({
          path: extra.path as string,
          bytes: extra.bytes as number,
          modifiedAt: extra.modifiedAt as string,
        }))),
      record: (event) => Promise.resolve(void events.set(event.key!, event)),
    });
  return {
    ...{ folder, clock, objects, events, watch },
    write: (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text),
    paths: () => [...events.values()].map(({ extra }) => extra.path),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("a file is an event once it has not changed for the settle time, and once", async () => {
  await using d = await drop();
  const watch = d.watch();
  await d.write("a.csv", "1");
  await d.write("b.txt", "no");
  assertEquals(await watch.look(), 0);
  d.clock.advance(29_000);
  await d.write("a.csv", "12");
  assertEquals(await watch.look(), 0);
  d.clock.advance(29_999);
  assertEquals(await watch.look(), 0);
  d.clock.advance(1);
  assertEquals(await watch.look(), 1);
  d.clock.advance(100_000);
  assertEquals(await watch.look(), 0);
  const [{ key, partition, extra }] = d.events.values();
  assertEquals([key, extra.path, extra.bytes], [partition, "a.csv", 2]);
});

Deno.test("the same bytes dropped again are no event, other bytes are another", async () => {
  await using d = await drop({ settleMs: 0 });
  const watch = d.watch();
  await d.write("a.csv", "one");
  await watch.look();
  await Deno.remove(`${d.folder}/a.csv`);
  await watch.look();
  await d.write("a.csv", "one");
  await watch.look();
  assertEquals(d.events.size, 1);
  await d.write("a.csv", "another");
  await watch.look();
  assertEquals(d.paths(), ["a.csv", "a.csv"]);
});

Deno.test("a restarted watch does not read known files again", async () => {
  await using d = await drop({ settleMs: 0 });
  await d.write("a.csv", "one");
  await d.watch().look();
  assertEquals(await d.watch().look(), 0);
});

Deno.test("with a marker a file is whole when the marker is there, which is no file itself", async () => {
  await using d = await drop({ marker: ".done", pattern: "**" });
  const watch = d.watch();
  await Deno.mkdir(`${d.folder}/2030`);
  await d.write("2030/a.csv", "1");
  d.clock.advance(100_000);
  assertEquals(await watch.look(), 0);
  await d.write("2030/a.csv.done", "");
  assertEquals(await watch.look(), 1);
  assertEquals(d.paths(), ["2030/a.csv"]);
});

Deno.test("links are left alone, and a folder that is not there is said", async () => {
  await using d = await drop({ settleMs: 0 });
  await Deno.symlink("/etc/passwd", `${d.folder}/a.csv`);
  assertEquals(await d.watch().look(), 0);
  await using gone = await drop({ folder: "/nowhere/at/all" });
  await assertRejects(() => gone.watch().look(), Deno.errors.NotFound);
});

Deno.test("objects below a prefix are events too", async () => {
  await using d = await drop({ folder: null, objects: "in/", settleMs: 0 });
  await d.objects.put("in/a.csv", new TextEncoder().encode("1"));
  await d.objects.put("out/b.csv", new TextEncoder().encode("1"));
  assertEquals(await d.watch().look(), 1);
  assertEquals([...d.events.values()][0].extra.objects, "in/");
});
