import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { tokens } from "./tokens.ts";

const run = (w: ApiWorld, ...args: string[]) => runCli(w, tokens, args);

Deno.test("tokens makes, lists and revokes, and shows a token once", async () => {
  await using w = await apiWorld();
  const made = await run(w, "create", "dashboard", "--role", "user", "--expires-days", "30");
  const token = /^token +(tw_\S+)$/m.exec(made.out)![1];
  const id = /^id +(\S+)$/m.exec(made.out)![1];
  assertStringIncludes(made.out, "2030-02-09T12:00:00.000Z");
  assertStringIncludes(made.err, "not shown again");
  assertEquals((await w.call("GET", "/api/v2/dags", { token })).status, 200);

  const list = await run(w);
  assertMatch(list.out, /dashboard +user +- +admin/);
  assert(!list.out.includes(token));
  assertEquals((await run(w, "revoke", id)).code, 0);
  assert(!(await run(w)).out.includes("dashboard"));
  assertMatch((await run(w, "--all")).out, /dashboard.*revoked 2030/);
  assertStringIncludes((await run(w, "revoke", id)).err, "was revoked before");
});

Deno.test("tokens makes a worker's token for its queues", async () => {
  await using w = await apiWorld();
  const made = await run(w, "create", "w", "--worker", "--queue", "merger", "x", "--json");
  const { role, queues, token } = JSON.parse(made.out);
  assertEquals([role, queues], ["worker", ["merger", "x"]]);
  assertMatch(token, /^tw_/);
});

Deno.test("tokens says what is missing or does not fit", async () => {
  await using w = await apiWorld();
  const said = async (...args: string[]) => {
    const { code, err } = await run(w, ...args);
    assertEquals(code, 1, args.join(" "));
    return err;
  };
  assertStringIncludes(await said("destroy"), "Cannot destroy tokens");
  assertStringIncludes(await said("create"), "Whom is the token for?");
  assertStringIncludes(await said("revoke"), "Which token?");
  assertStringIncludes(await said("create", "w", "--worker"), "Which queues");
  assertStringIncludes(await said("create", "w", "--queue", "a", "--role", "op"), "no other role");
  assertStringIncludes(await said("create", "x", "--expires-days", "soon"), "number of days");
  assertStringIncludes(await said("create", "x", "--role", "root"), "role");
});

Deno.test("an error under --json is one JSON object, from the API, the verb or the command line", async () => {
  await using w = await apiWorld();
  const said = async (...args: string[]) => {
    const { code, out, err } = await run(w, ...args, "--json");
    assertEquals([code, out], [1, ""], args.join(" "));
    return JSON.parse(err);
  };
  const nobody = await said("revoke", "00000000-0000-7000-8000-000000000000");
  assertEquals([nobody.code, nobody.detail], ["NOT_FOUND", { status: 404 }]);
  const verb = await said("destroy");
  assertStringIncludes(verb.error, "Cannot destroy tokens");
  assertEquals([verb.code, verb.detail], [null, {}]);
  const use = await said("create", "--nonsense");
  assertEquals(use.code, "commander.unknownOption");
  assertStringIncludes(use.error, "unknown option '--nonsense'");
});
