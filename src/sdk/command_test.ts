import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { z } from "zod";
import { systemClock } from "../base/clock.ts";
import { AppError } from "../model/errors.ts";
import { type TestTask, testTask } from "../../tests/support/task_context.ts";
import { CommandParams } from "./command.ts";
import { run } from "./command_run.ts";
import { dag } from "./dag.ts";
import type { Json } from "./json.ts";
import { FinalError } from "./operator.ts";
import { task } from "./task.ts";

/** Run it as a task would; `signal` is the attempt's. */
async function sh(
  script: string,
  more: Partial<z.input<typeof CommandParams>> & { input?: Json; signal?: AbortSignal } = {},
) {
  const { input, signal, ...params } = more;
  using at: TestTask = testTask({ clock: systemClock, signal });
  const parsed = CommandParams.parse({ program: "sh", args: ["-c", script], ...params });
  const outcome = await run({ params: parsed, inputs: { input }, ctx: at.ctx });
  return { outcome, logged: [...at.logged] };
}

Deno.test("task.command puts out what was asked for", async () => {
  const text = "echo one; echo two";
  assertEquals((await sh(text)).outcome, { kind: "done", output: null });
  assertEquals((await sh(text, { output: "text" })).outcome, { kind: "done", output: "one\ntwo" });
  assertEquals((await sh(text, { output: "lines" })).outcome, {
    kind: "done",
    output: ["one", "two"],
  });
  assertEquals((await sh(`echo '{"rows": 3}'`, { output: "json" })).outcome, {
    kind: "done",
    output: { rows: 3 },
  });
});

Deno.test("task.command logs lines, without those that are its output", async () => {
  const script = "echo out; echo err >&2; printf last";
  assertEquals((await sh(script)).logged.toSorted(), [
    "INFO err {}",
    "INFO last {}",
    "INFO out {}",
  ]);
  assertEquals((await sh(script, { output: "text" })).logged, ["INFO err {}"]);
});

Deno.test("task.command gives its program an input, files and only the environment named", async () => {
  const given = await sh("cat; cat note.txt; env | sort | cut -d= -f1 | tr '\\n' ' '", {
    input: { day: "2013-03-01" },
    files: { "note.txt": " noted " },
    env: { REGION: "eu" },
    output: "text",
  });
  const { output } = given.outcome as { output: string };
  assertStringIncludes(output, '{"day":"2013-03-01"} noted ');
  assertEquals(
    output.split(" noted ")[1].trim().split(" ").filter((name) =>
      !/^(PWD|SHLVL|_|OLDPWD)$/.test(name)
    ),
    ["HOME", "LANG", "PATH", "REGION", "TMPDIR", "TZ"],
  );
});

Deno.test("task.command tells exit codes apart", async () => {
  assertEquals((await sh("exit 99")).outcome, { kind: "skip", reason: "sh exited with code 99" });
  assertEquals((await sh("exit 7", { skipExitCodes: [7] })).outcome.kind, "skip");
  const error = await assertRejects(() => sh("echo no such table >&2; exit 3"), AppError);
  assertEquals(error.message, "sh exited with code 3: no such table");
  assertEquals(error.detail, { exitCode: 3, signal: null, stderr: ["no such table"] });
  const killed = await assertRejects(() => sh("kill -KILL $$"), AppError);
  assertEquals(killed.message, "sh was killed by SIGKILL");
});

Deno.test("task.command refuses an output that is no JSON, and a program that is not there", async () => {
  const error = await assertRejects(() => sh("echo rows: 3", { output: "json" }), FinalError);
  assertStringIncludes(error.message, 'it begins with "rows: 3"');
  const missing = await assertRejects(() => sh("", { program: "no-such-program" }), FinalError);
  assertStringIncludes(missing.message, "/usr/bin/no-such-program");
});

Deno.test("task.command ends its program when the attempt is to end", async () => {
  const stop = new AbortController();
  const reason = new DOMException("cancelled", "AbortError");
  const running = sh("echo started; exec sleep 60", { signal: stop.signal });
  queueMicrotask(() => stop.abort(reason));

  assert(await assertRejects(() => running) === reason);
});

Deno.test("task.command declares the paths of its program, and a process of its own", () => {
  const { spec } = dag({ id: "d", schedule: null }, () => {
    task.command({ id: "a", program: "sh", args: ({ runId }) => ["-c", runId] });
    task.command({ id: "b", program: "/opt/tool", isolation: "warm" });
  });
  const [a, b] = spec.tasks;
  assertEquals(a.permissions.run, ["/bin/sh", "/usr/bin/sh", "/usr/local/bin/sh"]);
  assertEquals([a.operator, a.isolation, b.isolation], ["task.command", "fresh", "warm"]);
  assertEquals(b.permissions.run, ["/opt/tool"]);
  assertThrows(
    () =>
      dag({ id: "d", schedule: null }, () => {
        task.command({ id: "a", program: "sh", files: { "../x": "" } });
      }),
    AppError,
    "files",
  );
});
