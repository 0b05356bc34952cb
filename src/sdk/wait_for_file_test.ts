import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { dag, waitForFile } from "./mod.ts";

/** Its task, and what that returns for a run of 2026-07-01. */
function waiting(folder: string, name: (date: string) => string) {
  const made = dag({ id: "d", schedule: null }, () => {
    waitForFile({ id: "t", folder, name: ({ interval }) => name(interval.date) });
  });
  const { body, spec } = made.task("t");
  if (body.kind !== "function") throw new Error(body.kind);
  const run = body.run as (ctx: unknown, inputs: unknown) => Promise<unknown>;
  const ctx = {
    resumedWith: null,
    taskId: "t",
    clock: new VirtualClock(),
    interval: { date: "2026-07-01" },
  };
  return { spec, look: () => run(ctx, {}) };
}

Deno.test("waitForFile() succeeds once the file is there, and may read its folder alone", async () => {
  const folder = await Deno.makeTempDir();
  const { spec, look } = waiting(folder, (date) => `${date}.csv`);
  assertEquals(spec.permissions.read, [folder]);
  await Deno.mkdir(`${folder}/2026-07-02.csv`);
  const trigger = (value: unknown) => (value as { trigger: unknown }).trigger;
  const everyMs = 60_000;
  assertEquals(trigger(await look()), { kind: "file", path: `${folder}/2026-07-01.csv`, everyMs });
  await Deno.writeTextFile(`${folder}/2026-07-01.csv`, "");
  assertEquals(await look(), true);
  const aFolder = await waiting(folder, () => "2026-07-02.csv").look();
  assertEquals(trigger(aFolder), { kind: "file", path: `${folder}/2026-07-02.csv`, everyMs });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("waitForFile() refuses a relative folder, and a name that leads out of it", async () => {
  assertThrows(() => waiting("drop", (date) => date), Error, 'needs an absolute "folder"');
  await assertRejects(() => waiting("/drop", () => "../x").look(), Error, "a file in /drop");
});
