/** @module `task.command` on the whole product: permissions, log, cancel, memory, retries. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const commandsDag = `import { dag, task } from "tidewheel";
import script from "./sum.sh" with { type: "text" };
export default dag({ id: "commands", schedule: null }, () => {
  const prices = task({ id: "prices" }, () => [3, 4]);
  const sum = task.command({
    id: "sum",
    program: "sh",
    args: ["sum.sh"],
    files: { "sum.sh": script },
    input: prices,
    output: "json",
  });
  task({ id: "after", inputs: { sum } }, (_ctx, { sum }) => sum);
  task.command({ id: "skips", program: "sh", args: ["-c", "exit 99"] });
  task.command({ id: "fails", program: "sh", args: ["-c", "echo no disk left >&2; exit 4"] });
  // A program may not be started that the task did not name.
  task({ id: "other", permissions: { run: ["/bin/true"] } }, async () => {
    await new Deno.Command("/bin/cat", { args: ["/etc/hostname"] }).output();
    return 0;
  });
});
`;

const sumScript =
  `tr -d '[]' | tr ',' '\\n' | { s=0; while read -r n || [ -n "$n" ]; do s=$((s + n)); n=; done; echo "{\\"sum\\": $s}"; }
`;

const longDag = `import { dag, task } from "tidewheel";
export default dag({ id: "long", schedule: null }, () => {
  task.command({
    id: "sleeps",
    program: "sh",
    // It hears no SIGTERM, and leaves a process behind that would outlive it.
    args: ["-c", "trap '' TERM; sleep 600 & echo pid $!; wait; sleep 600"],
  });
});
`;

const hungryDag = `import { dag, task } from "tidewheel";
export default dag({ id: "hungry", schedule: null }, () => {
  task.command({
    id: "eats",
    program: "sh",
    memory: { mib: 400 },
    args: ["-c", "head -c 900000000 /dev/zero | tail -c 900000000 > /dev/null; sleep 60"],
  });
});
`;

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({
    dags: {
      "commands.ts": commandsDag,
      "sum.sh": sumScript,
      "long.ts": longDag,
      "hungry.ts": hungryDag,
    },
  });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

let commands: Promise<Run> | null = null;
const ended = () => commands ??= product.api.runDag("commands", {}, { withinMs: 60_000 });

Deno.test("a program gets an input and gives an output to the next task", async () => {
  assertEquals(await product.api.output(await ended(), "after"), { sum: 7 });
});

Deno.test("a program's exit code says whether its task is skipped or failed", async () => {
  const { skips, fails } = await product.api.states(await ended());
  assertEquals({ skips, fails }, { skips: "skipped", fails: "failed" });
  const { evidence, end_reason } = await product.api.lastAttempt(await ended(), "fails");
  assertEquals(end_reason, "task_error");
  assertEquals(evidence.message, "sh exited with code 4: no disk left");
  await product.api.said(await ended(), "fails", "no disk left");
});

Deno.test("a task starts no program that it did not declare", async () => {
  const { end_reason, evidence } = await product.api.lastAttempt(await ended(), "other");
  assertEquals(end_reason, "permission");
  assertStringIncludes(evidence.message ?? "", 'run access to "/bin/cat"');
});

Deno.test("cancelling ends a program that is deaf, and what it has started", async () => {
  const run = await product.api.trigger("long");
  const pid = Number((await product.api.said(run, "sleeps", "pid ")).slice(4));
  assert(isAlive(pid));

  await product.api.send("PATCH", `/api/v2/dags/long/dagRuns/${run.dag_run_id}`, {
    state: "failed",
  });

  await product.api.ended(run);
  assertEquals((await product.api.lastAttempt(run, "sleeps")).end_reason, "cancelled");
  await until("the process left behind to be gone", () => !isAlive(pid));
});

Deno.test("memory of a program counts as its task's", async () => {
  const run = await product.api.runDag("hungry", {}, { withinMs: 60_000 });

  assertEquals(run.state, "failed");
  const { end_reason } = await product.api.lastAttempt(run, "eats");
  assertEquals(end_reason, "memory_limit");
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
