import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { testExecutor } from "../../tests/conformance/executor.ts";
import { workerDir } from "../../tests/support/attempts.ts";
import { processExecutor } from "./mod.ts";

testExecutor("processExecutor()", async () => {
  const { dir, code } = await workerDir();
  const workDir = await Deno.makeTempDir({ dir });
  const executor = processExecutor({ workDir, clock: systemClock, log: silentLogger });
  await executor.start();
  return { executor, code, [Symbol.asyncDispose]: () => executor.stop() };
});
