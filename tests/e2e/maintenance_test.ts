/** @module Draining for maintenance: what runs ends, nothing starts, also over a restart. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runVerb, startProduct } from "../support/product.ts";

const slow = `import { dag, task } from "tidewheel";
export default dag({ id: "slow", schedule: null }, () => {
  const wait = task({ id: "wait" }, ({ log, variable }) => {
    log.info("waiting");
    return new Promise(async (resolve) => {
      while (await variable("go") !== "yes") await new Promise((next) => setTimeout(next, 50));
      resolve(1);
    });
  });
  task({ id: "after", after: wait }, () => 2);
});
`;

Deno.test("a drain waits for what runs, starts nothing, outlives a restart, and is resumed", async () => {
  await using product = await startProduct({ dags: { "slow.ts": slow } });
  const cli = async (...args: string[]) => {
    const { code, stdout, stderr } = await runVerb(args, {
      TIDEWHEEL_API_URL: product.url,
      TIDEWHEEL_TOKEN: product.token,
    });
    return { code, said: stdout + stderr };
  };
  await product.api.send("POST", "/api/v2/variables", { key: "go", value: "no" });
  const run = await product.api.trigger("slow");
  await product.api.said(run, "wait", "waiting");
  const draining = cli("drain", "--timeout", "60");
  const early = await cli("drain", "--timeout", "0");
  assertEquals(early.code, 1, early.said);
  await product.api.send("PATCH", "/api/v2/variables/go", { key: "go", value: "yes" });
  const { code, said } = await draining;
  assertStringIncludes(said, "empty: nothing runs");
  assertEquals(code, 0);
  assertEquals((await product.api.task(run, "wait")).state, "success");
  await product.end("SIGTERM");
  await product.start();
  assertStringIncludes((await cli("drain", "--status")).said, "empty: nothing runs");
  assertEquals((await product.api.task(run, "after")).start_date, null);
  assertEquals((await cli("resume")).code, 0);
  assertEquals((await product.api.ended(run)).state, "success");
});
