import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { ChildProcess } from "./child_process.ts";
import { Survivors } from "./survivors.ts";

Deno.test("onExit() tells those who still want to know, also after the process has gone", async () => {
  const dir = await Deno.makeTempDir();
  const child = new ChildProcess(
    { args: ["eval", "Deno.exit(3)"], env: {}, dir, user: null, mayRun: false },
    { survivors: new Survivors(dir), clock: systemClock },
  );
  const told: string[] = [];
  child.onExit(({ exitCode }) => told.push(`first ${exitCode}`));
  child.onExit(() => told.push("forgotten"))();
  await child.exited;
  const late = Promise.withResolvers<void>();
  child.onExit(() => late.resolve());
  await late.promise;
  assertEquals(told, ["first 3"]);
  await Deno.remove(dir, { recursive: true });
});
