import { systemClock } from "../base/clock.ts";
import { testExecutor } from "../../tests/conformance/executor.ts";
import { inProcessExecutor } from "./in_process.ts";

const alone = "one process holds the worker and every attempt";

testExecutor(
  "inProcessExecutor()",
  async () => {
    const workDir = await Deno.makeTempDir({ prefix: "tw_in_process_" });
    const executor = inProcessExecutor({
      load: () => import("../../tests/fixtures/worker/attempts.ts"),
      clock: systemClock,
      workDir,
    });
    await executor.start();
    return {
      executor,
      code: { dir: "", args: [], env: {} },
      async [Symbol.asyncDispose]() {
        await executor.stop();
        await Deno.remove(workDir, { recursive: true });
      },
    };
  },
  {
    kills: alone,
    exits: alone,
    uncaught: alone,
    permissions: alone,
    memory: alone,
    heap: alone,
    fresh: alone,
    warm: alone,
  },
);
