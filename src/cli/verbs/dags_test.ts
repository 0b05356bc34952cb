import { assertEquals, assertMatch } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { parserStore } from "../../store/dag.ts";
import { dags } from "./dags.ts";

async function breakFile(w: ApiWorld, file: string) {
  const { sql, ids, clock } = w.parts;
  const error = {
    ...{ message: 'Unexpected "*"\x1b[31m', path: file, line: 3, column: 5 },
    frame: "> 3 | 42 +* 1\n    |     ^",
  };
  const outcome = { kind: "error" as const, error };
  await parserStore(sql, ids).record(
    [{ file, fingerprint: null, sources: [], outcome }],
    clock.now(),
  );
}

Deno.test("dags shows what each DAG is up to, and errors with place, lines and what runs on", async () => {
  await using w = await apiWorld();
  for (const id of ["broken", "fine", "waits"]) await w.addDag(id, [{ taskId: "a" }]);
  await w.call("PATCH", "/api/v2/dags/waits", { body: { is_paused: true } });
  await breakFile(w, "broken.ts");
  await breakFile(w, "never.ts");

  const { code, out } = await runCli(w, dags);

  assertEquals(code, 0);
  assertMatch(out, /broken +broken .*broken\.ts\nfine +active .*fine\.ts\nwaits +paused /);
  const [, broken, never] = out.split("\n\n");
  assertEquals(broken.split("\n"), [
    "Cannot import broken.ts",
    'Unexpected "*" [31m',
    "  at broken.ts:3:5",
    "> 3 | 42 +* 1",
    "    |     ^",
    "Its last good version runs on: broken",
  ]);
  assertEquals(never.includes("runs on"), false);
  const document = JSON.parse((await runCli(w, dags, ["--json"])).out);
  assertEquals([document.dags.length, document.import_errors.length], [3, 2]);
});

Deno.test("dags shows warnings on DAGs", async () => {
  await using w = await apiWorld();
  await w.addDag("shanghai", [{ taskId: "a" }], {
    schedule: {
      ...{ kind: "sessions", calendars: ["XSHG"], open: "all", edge: "close", offsetMs: 0 },
      ...{ everyMs: null, nth: null, interval: "session" },
    },
  });
  const { out } = await runCli(w, dags);
  assertMatch(out, /Warning: The calendar XSHG of DAG "shanghai" ends on \d{4}-12-31/);
});
