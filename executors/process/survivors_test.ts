import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { isAlive, until, workerDir } from "../../tests/support/attempts.ts";
import { processExecutor } from "./mod.ts";

const supervisor = new URL("../../tests/fixtures/worker/supervisor.ts", import.meta.url);

/** Start a worker's process that runs the task, kill it, and say which child it leaves. */
async function killedWith(taskId: string): Promise<{ workDir: string; childPid: number }> {
  const { dir, code } = await workerDir();
  const workDir = await Deno.makeTempDir({ dir });
  const worker = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", supervisor.href, JSON.stringify({ workDir, taskId, code })],
    stdout: "piped",
  }).spawn();
  const reader = worker.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const childPid = Number((await reader.read()).value);
  Deno.kill(worker.pid, "SIGKILL");
  await worker.status;
  await reader.cancel();
  return { workDir, childPid };
}

Deno.test("a child ends by itself when its supervisor is killed", async () => {
  const { childPid } = await killedWith("deaf");
  await until(() => !isAlive(childPid));
});

Deno.test("processExecutor() ends a child that could not see its supervisor's end", async () => {
  const { workDir, childPid } = await killedWith("loops");
  assertEquals(isAlive(childPid), true);
  const next = processExecutor({ workDir, clock: systemClock, log: silentLogger });
  await next.start();

  assertEquals(isAlive(childPid), false);
  assertEquals([...Deno.readDirSync(`${workDir}/pids`)], []);
  await next.stop();
});
