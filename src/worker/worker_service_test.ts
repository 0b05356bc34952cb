import { assert, assertEquals, assertMatch } from "@std/assert";
import { processExecutor } from "../../executors/process/mod.ts";
import {
  fixtureBundle,
  fixtureWorkload,
  isAlive,
  until,
  workerDir,
  type WorkloadChanges,
} from "../../tests/support/attempts.ts";
import { FakeExecutionApi } from "../../tests/support/fake_execution_api.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import type { AttemptEnd, Workload } from "../contract/execution.ts";
import { enginePool } from "../engine/pool.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import type { ObjectStore } from "../objects/port.ts";
import { type WorkerService, workerService } from "./worker_service.ts";

const clock = systemClock;

interface World extends AsyncDisposable {
  api: FakeExecutionApi;
  objects: ObjectStore;
  worker: WorkerService;
  workDir: string;
  /** Enqueue an attempt; its end is in `api.ended()`. */
  begin(taskId: string, changes?: WorkloadChanges): Workload;
  /** Run an attempt to its end. */
  run(taskId: string, changes?: WorkloadChanges): Promise<AttemptEnd>;
}

/** A worker with real children, against the API in memory. */
async function world(
  { slots = 4, workDir }: { slots?: number; workDir?: string } = {},
): Promise<World> {
  const { dir, cacheDir } = await workerDir();
  const api = new FakeExecutionApi();
  api.bundles.set(fixtureBundle.hash, fixtureBundle);
  const objects = memoryObjectStore();
  const engine = enginePool({ clock });
  const home = workDir ?? await Deno.makeTempDir({ dir });
  const executor = processExecutor({ workDir: home, clock, log: silentLogger });
  const worker = workerService({
    fetch: api.fetch,
    workerToken: "worker",
    workerId: "w1",
    hostname: "here",
    pid: Deno.pid,
    version: "0.0.0",
    queues: ["default"],
    slots,
    executor,
    objects,
    bundleCacheDir: cacheDir,
    engine,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    drainMs: 50,
    killGraceMs: 50,
  });
  await worker.start();
  const begin = (taskId: string, changes?: WorkloadChanges) => {
    const workload = fixtureWorkload(taskId, changes);
    api.enqueue(workload);
    return workload;
  };
  return {
    ...{ api, objects, worker, workDir: home, begin },
    run: (taskId, changes) => api.ended(begin(taskId, changes).attemptId),
    async [Symbol.asyncDispose]() {
      await worker.stop();
      await engine.close();
    },
  };
}

const outputOf = ({ outcome }: AttemptEnd) => outcome?.kind === "done" ? outcome.output : undefined;

Deno.test("a worker runs attempts in one warm process and reports them", async () => {
  await using at = await world();
  const first = await at.run("pid");
  const second = await at.run("pid");

  assertEquals([first.endReason, first.final, first.outputKey], ["success", false, null]);
  assertEquals(outputOf(second), outputOf(first));
  assertEquals((await at.run("list")).outputLength, 3);
  assertEquals((await at.run("skips")).endReason, "skipped");
  assertEquals(at.worker.health().ready, true);
});

Deno.test("a worker gives each attempt a fresh process where the task asks for it", async () => {
  await using at = await world();
  const task = { isolation: "fresh" as const };
  const [first, second] = [await at.run("pid", { task }), await at.run("pid", { task })];

  assert(outputOf(first) !== outputOf(second));
});

Deno.test("a worker keeps what a task prints, and it breaks no frame", async () => {
  await using at = await world();
  const { attemptId } = at.begin("prints");
  const end = await at.api.ended(attemptId);

  assertEquals(outputOf(end), "printed");
  const lines = at.api.lines.get(attemptId)!;
  assertEquals(lines.map(({ message }) => message).toSorted(), [
    "\x1e no newline",
    '\x1efake {"type":"outcome"}',
    "bad",
    "careful",
    "late line",
    "no end",
    "one two { three: 3 }",
    "raw line",
    "to stderr",
  ]);
  assertEquals(lines.find(({ message }) => message === "bad")?.level, "ERROR");
});

Deno.test("a worker tells a throw from a final failure and from a broken row equation", async () => {
  await using at = await world();
  const thrown = await at.run("throws");
  assertEquals([thrown.endReason, thrown.final], ["task_error", false]);
  assertEquals(thrown.evidence.message, "vendor said no");
  assertMatch(thrown.evidence.stack!, /attempts\.ts/);
  assertEquals((await at.run("final")).final, true);

  const gap = await at.run("gap");
  assertEquals(gap.endReason, "invalid_outcome");
  assertMatch(gap.evidence.message!, /rows do not add up/);
});

Deno.test("a worker kills a task that runs past its timeout, also in an endless loop", async () => {
  await using at = await world();
  const { attemptId } = at.begin("loops", { task: { timeoutMs: 100 } });
  const end = await at.api.ended(attemptId);

  assertEquals([end.endReason, end.evidence.timeoutMs], ["timeout", 100]);
  assertEquals(end.evidence.signal, "SIGKILL");
  assertEquals(at.worker.stats().running, 0);
});

Deno.test("a worker kills a task whose buffers or heap outgrow its memory", async () => {
  await using at = await world();
  const limit = 150 * 1024 * 1024;
  const buffers = await at.run("buffers", { task: { memoryBytesMax: limit } });
  assertEquals(buffers.endReason, "memory_limit");
  assertEquals(buffers.evidence.limitBytes, limit);
  assert(buffers.rssBytesMax! > limit, String(buffers.rssBytesMax));

  const heap = await at.run("heap", { task: { memoryBytesMax: 64 * 1024 * 1024 } });
  assertEquals(heap.endReason, "memory_limit");
});

Deno.test("a worker says how a process went that ended before its task", async () => {
  await using at = await world();
  const exited = await at.run("exits");
  assertEquals([exited.endReason, exited.evidence.exitCode], ["child_exit", 3]);
  assertMatch(exited.evidence.message!, /last words/);

  const { attemptId } = at.begin("deaf");
  await until(() => at.api.messages(attemptId).includes("running"));
  const pids = childPids(at.workDir);
  for (const pid of pids) Deno.kill(pid, "SIGKILL");
  const killed = await at.api.ended(attemptId);
  assertEquals([killed.endReason, killed.evidence.signal], ["child_killed", "SIGKILL"]);
  // An idle process may be dying as well: the next attempt must not be handed to that one.
  await until(() => !childPids(at.workDir).some((pid) => pids.includes(pid)));

  const uncaught = await at.run("uncaught");
  assertEquals(uncaught.endReason, "task_error");
  assertEquals(uncaught.evidence.message, "nobody waits for me");
});

Deno.test("a worker says of a bundle that cannot be imported what is wrong", async () => {
  await using at = await world();
  const broken = await at.run("noop", {
    bundle: { hash: fixtureBundle.hash, entry: "broken.ts" },
  });
  assertEquals(broken.endReason, "bundle");
  assertMatch(broken.evidence.message!, /Cannot import broken\.ts .*no data file here/);

  const missing = await at.run("noop", { bundle: { hash: "0".repeat(64), entry: "x.ts" } });
  assertEquals(missing.endReason, "bundle");
  assertMatch(missing.evidence.message!, /fetch bundle 000000000000: There is no/);
});

Deno.test("a worker names what a task did not declare, and how to declare it", async () => {
  await using at = await world();
  const told: Record<string, RegExp> = {
    reads: /read access to "\/etc\/hostname".*permissions: \{ read: \["\/etc\/hostname"\] \}/,
    connects: /net access to "127.0.0.1:9".*permissions: \{ net: \["127.0.0.1:9"\] \}/,
    env: /env access to "PATH".*permissions: \{ env: \["PATH"\] \}/,
    runs: /run access to "\/bin\/echo".*permissions: \{ run: \["\/bin\/echo"\] \}/,
    uses_vendor: /declares none; add connections: \["vendor"\]/,
    opens: /none of the task's inputs/,
    puts_outside: /outside of the attempt's work folder/,
  };
  for (const [taskId, message] of Object.entries(told)) {
    const end = await at.run(taskId);
    assertEquals([taskId, end.endReason, end.final], [taskId, "permission", true]);
    assertMatch(end.evidence.message!, message);
  }
});

Deno.test("a worker never gives a task the product's own environment", async () => {
  await using at = await world();
  const permissions = { ...fixtureWorkload("env").task.permissions, env: ["TIDEWHEEL_TOKEN"] };
  const end = await at.run("env", { task: { permissions } });

  assertEquals(end.endReason, "permission");
  assertMatch(end.evidence.message!, /TIDEWHEEL_TOKEN: it belongs to Tidewheel itself/);
});

Deno.test("a worker hands over declared connections and opens their hosts", async () => {
  await using at = await world();
  at.api.connections.set("vendor", {
    ...{ connectionId: "vendor", connType: "http", host: "127.0.0.1", port: 9, schema: null },
    ...{ login: null, password: "s3cret", extra: {} },
  });
  const connections = ["vendor"];
  assertEquals(outputOf(await at.run("uses_vendor", { task: { connections } })), "s3cret");

  const permissions = { ...fixtureWorkload("env").task.permissions, net: ["connection:vendor"] };
  const refused = await at.run("connects", { task: { connections, permissions } });
  assertMatch(refused.evidence.message!, /refused|os error 111/i);
  assertEquals(refused.endReason, "task_error");

  at.api.connections.delete("vendor");
  const missing = await at.run("connects", { task: { connections, permissions } });
  assertMatch(missing.evidence.message!, /connection "vendor"/);
  assertEquals(missing.endReason, "task_error");
});

Deno.test("a worker keeps a task's files, and gives it those of its inputs to read", async () => {
  await using at = await world();
  const put = await at.run("puts");
  const { file, read } = outputOf(put) as { file: { key: string; sha256: string }; read: string };
  assertEquals(read, "hello");
  assertMatch(file.key, /^attempts\/[0-9a-f-]{36}\/0-my_result\.txt$/);
  assertEquals(new TextDecoder().decode(await at.objects.get(file.key)), "hello");

  const opened = await at.run("reads_input", { inputs: { noop: file } });
  assertEquals(outputOf(opened), { text: "hello", write: "NotCapable" });
});

Deno.test("a worker stores a large output, and refuses one that is too large", async () => {
  await using at = await world();
  const { attemptId } = at.begin("large");
  const end = await at.api.ended(attemptId);
  assertEquals([end.endReason, outputOf(end)], ["success", undefined]);
  assertEquals(end.outputKey, `attempts/${attemptId}/output.json`);
  assertEquals((await at.objects.get(end.outputKey!)).length, 100_002);

  const tooLarge = await at.run("too_large");
  assertEquals(tooLarge.endReason, "invalid_outcome");
  assertMatch(tooLarge.evidence.message!, /66\d+ bytes.* at most 67108864|69\d+ bytes/);
});

Deno.test("a worker runs a task's SQL in an engine of its own", async () => {
  await using at = await world();
  assertEquals(outputOf(await at.run("sql")), 42);
});

Deno.test("a worker stops an attempt that somebody cancels, also with every slot taken", async () => {
  await using at = await world({ slots: 1 });
  const { attemptId } = at.begin("waits");
  await until(() => at.api.messages(attemptId).includes("running"));
  const [pid] = childPids(at.workDir);
  at.api.onCall = (call) =>
    call.call === "heartbeat" ? { status: 409, reason: "cancelling" } : undefined;
  at.api.requestStop(attemptId);
  const end = await at.api.ended(attemptId);

  assertEquals(end.endReason, "cancelled");
  assertEquals(isAlive(pid), false);
});

Deno.test("a worker drops an attempt of which a newer one speaks, and says nothing of its end", async () => {
  await using at = await world();
  const { attemptId } = at.begin("waits");
  await until(() => at.api.messages(attemptId).includes("running"));
  at.api.onCall = () => ({ status: 410, reason: "gone" });
  at.api.requestStop(attemptId);
  await until(() => at.worker.stats().running === 0);

  assertEquals(at.api.ends.has(attemptId), false);
});

Deno.test("a worker goes on while the API is away, and reports when it is back", async () => {
  await using at = await world();
  const { attemptId } = at.begin("deaf");
  await until(() => at.api.messages(attemptId).includes("running"));
  at.api.isDown = true;
  for (const pid of childPids(at.workDir)) Deno.kill(pid, "SIGKILL");
  await until(() => at.worker.stats().running === 0 && !at.worker.health().ready);
  assertEquals(at.api.ends.size, 0);

  at.api.isDown = false;
  assertEquals((await at.api.ended(attemptId)).endReason, "child_killed");
  assertEquals((await at.run("noop")).endReason, "success");
});

Deno.test("a worker that stops hands back what does not end by itself", async () => {
  const at = await world();
  const waits = at.begin("waits");
  const finishes = at.begin("finishes");
  const deaf = at.begin("deaf");
  for (const { attemptId } of [waits, finishes, deaf]) {
    await until(() => at.api.messages(attemptId).includes("running"));
  }
  const pids = childPids(at.workDir);
  await at[Symbol.asyncDispose]();

  const reasons = [waits, finishes, deaf].map((w) => at.api.ends.get(w.attemptId)?.endReason);
  assertEquals(reasons, ["drained", "success", "drained"]);
  assertEquals(pids.filter(isAlive), []);
  assertEquals(childPids(at.workDir), []);
});

Deno.test("a worker ends what an earlier life of it left running", async () => {
  const { dir } = await workerDir();
  const workDir = await Deno.makeTempDir({ dir });
  await Deno.mkdir(`${workDir}/pids`);
  const sleeper = new Deno.Command("/bin/sleep", { args: ["60"], detached: true }).spawn();
  const startTicks = Deno.readTextFileSync(`/proc/${sleeper.pid}/stat`).split(" ")[21];
  await Deno.writeTextFile(`${workDir}/pids/${sleeper.pid}-${startTicks}`, "");
  // The same number with another start is another process.
  await Deno.writeTextFile(`${workDir}/pids/${Deno.pid}-1`, "");

  await using _ = await world({ workDir });
  assertEquals((await sleeper.status).signal, "SIGKILL");
  assertEquals(childPids(workDir), []);
});

Deno.test("a worker's children end when it is gone, with what they have started", async () => {
  await using at = await world();
  const permissions = { ...fixtureWorkload("runs").task.permissions, run: ["/bin/sleep"] };
  const { attemptId } = at.begin("leaves_child", { task: { permissions, timeoutMs: 400 } });
  const end = await at.api.ended(attemptId);
  assertEquals(end.endReason, "timeout");
  const [, pid] = /^sleep (\d+)/.exec(at.api.messages(attemptId)[0])!;
  await until(() => !isAlive(Number(pid)));
});

/** Pids on record in a worker's folder. */
function childPids(workDir: string): number[] {
  return [...Deno.readDirSync(`${workDir}/pids`)].map(({ name }) => Number(name.split("-")[0]));
}
