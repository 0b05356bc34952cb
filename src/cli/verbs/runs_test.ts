import { assertEquals, assertRejects } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { CliError, RestClient } from "../client.ts";
import { clear } from "./runs.ts";

Deno.test("clear says of a task that the run does not have that it is not there", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await w.trigger("d");
  await using server = Deno.serve({ port: 0, onListen() {} }, (request) => w.api.fetch(request));
  const url = `http://127.0.0.1:${server.addr.port}`;
  let out = "";
  const context = {
    api: new RestClient({ url, token: () => w.tokens.admin }),
    output: { json: false, isTerminal: false, out: (text: string) => void (out += text), err() {} },
    sleep: () => Promise.resolve(),
    readStdin: () => Promise.resolve(""),
  };
  await assertRejects(
    () => clear.run(context, ["d", "latest", "a", "b"], { dryRun: true }),
    CliError,
    'Cannot find task "b" in run',
  );
  assertEquals(out, "");
  assertEquals(await clear.run(context, ["d", "latest", "a"], { dryRun: true }), 0);
});
