/** @module What every executor must do. Call it in the test file of each. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Ask, ChildError } from "../../src/contract/child.ts";
import type { LogLine } from "../../src/contract/execution.ts";
import { AppError } from "../../src/model/errors.ts";
import type {
  Executor,
  Job,
  JobCode,
  JobEnd,
  JobFolders,
  JobHost,
} from "../../src/worker/executor.ts";
import { fixtureWorkload, isAlive, until, type WorkloadChanges } from "../support/attempts.ts";

/** A started executor for one test. */
export interface ExecutorFixture extends AsyncDisposable {
  executor: Executor;
  code: JobCode;
}

/** Facts of the suite that an executor cannot have, each with the reason. */
export type ExecutorSkips = Partial<Record<keyof typeof isolationFacts, string>>;

const isolationFacts = {
  kills: "ends code that does not listen",
  exits: "survives a task that exits its process, and says how it went",
  uncaught: "gives an error that nobody caught to the attempt that made it",
  permissions: "refuses what the task did not declare",
  memory: "tells the memory of an attempt",
  heap: "lets a heap without end break only its own attempt",
  fresh: "gives each attempt a process of its own where the task asks for it",
  warm: "runs attempts of one task in one warm process, one after the other",
  folders: "gives each attempt an empty folder, and removes it",
} as const;

/** Everything that came of one attempt. */
interface Seen {
  job: Job;
  end: Promise<JobEnd>;
  lines: { level: LogLine["level"]; message: string; fields?: LogLine["fields"] }[];
  folders: JobFolders[];
}

/** Register the suite for the executor called `name`. */
export function testExecutor(
  name: string,
  open: () => Promise<ExecutorFixture>,
  skips: ExecutorSkips = {},
): void {
  const test = (fact: string, body: (run: Run) => Promise<void>, skip?: string) =>
    Deno.test({
      name: `${name} ${fact}${skip ? ` (skipped: ${skip})` : ""}`,
      ignore: skip !== undefined,
      async fn() {
        await using fixture = await open();
        await body(runner(fixture));
      },
    });
  const isolation = (fact: keyof typeof isolationFacts, body: (run: Run) => Promise<void>) =>
    test(isolationFacts[fact], body, skips[fact]);

  test("hands back what a task returns", async (run) => {
    assertEquals(await outcomeOf(run("list")), { kind: "done", output: ["a", "b", "c"] });
    assertEquals(await outcomeOf(run("skips")), { kind: "skip", reason: "nothing to do" });
  });

  test("hands back what a task throws, and whether it is final", async (run) => {
    const thrown = await failureOf(run("throws"));
    assertEquals([thrown.name, thrown.message], ["Error", "vendor said no"]);
    assertMatch(thrown.stack!, /attempts\.ts/);
    assertEquals((await failureOf(run("final"))).final, true);
  });

  test("passes log lines on, in order", async (run) => {
    const { end, lines } = run("logs");
    await end;
    const seen = lines.map(({ level, message, fields }) => [level, message, fields?.rows]);
    assertEquals(seen, [["INFO", "begun", undefined], ["WARN", "careful", 3]]);
  });

  test("asks for what the task needs and passes errors back", async (run) => {
    const asked: Ask[] = [];
    const answer = (ask: Ask) => {
      asked.push(ask);
      if (ask.what === "variable") return Promise.resolve("monday");
      return Promise.reject(new AppError("FORBIDDEN", "Cannot use it: not declared"));
    };
    assertEquals(await outcomeOf(run("variable", {}, answer)), { kind: "done", output: "monday" });
    const refused = await failureOf(run("uses_vendor", {}, answer));
    assertEquals([refused.code, refused.message], ["FORBIDDEN", "Cannot use it: not declared"]);
    assertEquals(asked, [
      { what: "variable", key: "day" },
      { what: "connection", connectionId: "vendor" },
    ]);
  });

  test("tells a task to stop, and ends with what it makes of it", async (run) => {
    const waits = run("waits");
    const finishes = run("finishes");
    await until(() => isRunning(waits) && isRunning(finishes));
    waits.job.cancel("cancelled");
    finishes.job.cancel("drained");
    const failure = await failureOf(waits);
    assertEquals([failure.name, failure.message], ["AbortError", "cancelled"]);
    assertEquals(await outcomeOf(finishes), { kind: "done", output: "saved what there was" });
  });

  test("stops with attempts under way", async (run) => {
    const { end } = run("deaf");
    await run.executor.stop();
    assertEquals((await end).kind !== "outcome", true);
  });

  isolation("kills", async (run) => {
    for (const taskId of ["deaf", "loops"]) {
      const seen = run(taskId);
      await until(() => isRunning(seen));
      seen.job.cancel("cancelled");
      seen.job.kill();
      assertEquals(await exitOf(seen), [null, "SIGKILL"]);
    }
  });

  isolation("exits", async (run) => {
    const seen = run("exits");
    assertEquals(await exitOf(seen), [3, null]);
    const end = await seen.end;
    assertEquals(end.kind === "exited" && end.stderr, ["last words"]);
    assertEquals(await outcomeOf(run("noop")), { kind: "done", output: 1 });
  });

  isolation("uncaught", async (run) => {
    const failure = await failureOf(run("uncaught"));
    assertEquals(failure.message, "nobody waits for me");
    assertEquals(await outcomeOf(run("noop")), { kind: "done", output: 1 });
  });

  isolation("permissions", async (run) => {
    for (const taskId of ["reads", "imports", "connects", "env", "own_env", "runs"]) {
      const failure = await failureOf(run(taskId));
      assertMatch(`${failure.name} ${failure.message}`, /NotCapable|Requires read access/, taskId);
    }
    const declared = { ...fixtureWorkload("reads").task.permissions, read: ["/etc/hostname"] };
    const allowed = run("reads", { task: { permissions: declared } });
    assertEquals((await allowed.end).kind, "outcome");
  });

  isolation("memory", async (run) => {
    const seen = run("buffers");
    await until(() => (seen.job.usage()?.rssBytes ?? 0) > 200 * 1024 * 1024);
    seen.job.kill();
    assertEquals(await exitOf(seen), [null, "SIGKILL"]);
  });

  isolation("heap", async (run) => {
    const end = await run("heap", { task: { memoryBytesMax: 64 * 1024 * 1024 } }).end;
    assert(end.kind === "exited", end.kind);
    assertMatch(end.stderr.join("\n"), /out of memory/);
  });

  isolation("fresh", async (run) => {
    const task = { isolation: "fresh" as const };
    const first = await outputOf(run("pid", { task })) as number;
    assertEquals(isAlive(first), false);
    const second = await outputOf(run("pid", { task }));
    assert(first !== second);
  });

  isolation("warm", async (run) => {
    const first = await outputOf(run("pid"));
    assertEquals(await outputOf(run("pid")), first);
    const other = { ...fixtureWorkload("pid").task.permissions, net: ["api.example.com"] };
    assert(await outputOf(run("pid", { task: { permissions: other } })) !== first);
    assert(await outputOf(run("pid", { task: { connections: ["vendor"] } })) !== first);
  });

  isolation("folders", async (run) => {
    assertEquals(await outputOf(run("leaves_file")), 0);
    assertEquals(await outputOf(run("leaves_file")), 0);
    const { workDir } = await outputOf(run("facts")) as { workDir: string };
    await until(() => !exists(workDir) || isEmpty(workDir));
  });
}

type Answer = (ask: Ask) => Promise<unknown>;

interface Run {
  (taskId: string, changes?: WorkloadChanges, answer?: Answer): Seen;
  executor: Executor;
}

function runner({ executor, code }: ExecutorFixture): Run {
  const run = (taskId: string, changes: WorkloadChanges = {}, answer: Answer = noAnswer) => {
    const { token: _, ...workload } = fixtureWorkload(taskId, changes);
    const lines: Seen["lines"] = [];
    const folders: JobFolders[] = [];
    const host: JobHost = {
      log: (level, message, fields) => lines.push({ level, message, fields }),
      ask: (ask, own) => (folders.push(own), answer(ask)),
      pressure: () => null,
    };
    const job = executor.run({ workload, code, permissions: workload.task.permissions }, host);
    return { job, end: job.ended, lines, folders };
  };
  return Object.assign(run, { executor });
}

const noAnswer: Answer = (ask) => Promise.reject(new Error(`asked for ${ask.what}`));

/** Tasks that run on say so. */
function isRunning({ lines }: Seen): boolean {
  return lines.some(({ message }) => message === "running");
}

async function outcomeOf({ end }: Seen): Promise<unknown> {
  const ended = await end;
  assert(ended.kind === "outcome", JSON.stringify(ended));
  return ended.outcome;
}

async function outputOf(seen: Seen): Promise<unknown> {
  return (await outcomeOf(seen) as { output: unknown }).output;
}

async function failureOf({ end }: Seen): Promise<ChildError> {
  const ended = await end;
  assert(ended.kind === "failed", JSON.stringify(ended));
  return ended.error;
}

async function exitOf({ end }: Seen): Promise<[number | null, string | null]> {
  const ended = await end;
  assert(ended.kind === "exited", JSON.stringify(ended));
  return [ended.exitCode, ended.signal];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function isEmpty(dir: string): boolean {
  try {
    return Array.from(Deno.readDirSync(dir)).length === 0;
  } catch {
    return false;
  }
}
