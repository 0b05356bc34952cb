import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { backfill, backfills } from "./backfills.ts";

const daily = { schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } };
const range = ["--from", "2030-01-05", "--to", "2030-01-08"];

async function world(): Promise<ApiWorld> {
  const w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  return w;
}

Deno.test("backfill --dry-run shows dates, counts, time and requests", async () => {
  await using w = await world();
  const { code, out } = await runCli(w, backfill, ["d", ...range, "--dry-run"]);
  assertEquals(code, 0);
  assertMatch(out, /2030-01-05T00:00:00.000Z +new\n/);
  assertMatch(out, /\nnew +4\n/);
  assertMatch(out, /\ntime +unknown: no run of the DAG has succeeded yet\n/);
  assertEquals((await w.call("GET", "/api/v2/backfills")).body.total_entries, 0);
});

Deno.test("backfill starts one in the order and the sizes that are asked for", async () => {
  await using w = await world();
  const sizes = ["--max-active-runs", "3", "--share", "0.5", "--order", "newest-first"];
  const { code, out } = await runCli(w, backfill, ["d", ...range, ...sizes, "--json"]);
  const made = JSON.parse(out);
  assertEquals(
    [code, made.max_active_runs, made.share, made.run_backwards, made.runs.queued],
    [0, 3, 0.5, true, 4],
  );
  const bad = await runCli(w, backfill, ["d", ...range, "--order", "random"]);
  assertStringIncludes(bad.err, "it is forward, reverse or newest-first");
  const open = await runCli(w, backfill, ["d", "--from", "2030-01-01"]);
  assertStringIncludes(open.err, "give both --from and --to");
});

Deno.test("backfill --watch shows progress until the end; its code says whether all succeeded", async () => {
  await using w = await world();
  const ended = (async () => {
    const runs = async () => (await w.call("GET", "/api/v2/dags/d/dagRuns")).body.dag_runs;
    while ((await runs()).length < 4) await w.parts.sql`select 1`;
    for (const [i, run] of (await runs()).entries()) {
      await w.moveRun("d", run.dag_run_id, "running");
      await w.moveRun("d", run.dag_run_id, i === 0 ? "failed" : "success");
    }
  })();
  const { code, out } = await runCli(w, backfill, ["d", ...range, "--watch"]);
  await ended;
  assertEquals(code, 1);
  assertMatch(out, /running +0 % of 4 dates: 4 queued\n/);
  assertMatch(out, /completed +100 % of 4 dates: 3 success, 1 failed\n/);
});

Deno.test("backfills lists, shows, pauses, resumes, extends, re-runs and cancels", async () => {
  await using w = await world();
  await runCli(w, backfill, ["d", ...range]);
  const [{ id }] = (await w.call("GET", "/api/v2/backfills")).body.backfills;
  const call = async (...args: string[]) => (await runCli(w, backfills, args)).out;
  assertMatch(await call(), /d +2030-01-05.* running +4 +0 % +0 +0\n/);
  assertMatch(await call("pause", `${id}`), /state +paused\n/);
  assertMatch(await call("resume", `${id}`), /state +running\n/);
  assertMatch(await call("set", `${id}`, "--share", "0.1"), /share +0.1\n/);
  assertMatch(await call("extend", `${id}`, "--to", "2030-01-09T00:00:00Z"), /added +1\n/);
  assertMatch(await call("dates", `${id}`), /2030-01-09T00:00:00.000Z +queued/);
  assertMatch(await call("cancel", `${id}`, "--now"), /state +cancelled\n/);
  const refused = await runCli(w, backfills, ["rerun-failed", `${id}`]);
  assertEquals([refused.code, refused.err.includes("nothing of it has failed")], [1, true]);
  const odd = await runCli(w, backfills, ["dance", `${id}`]);
  assertStringIncludes(odd.err, "it is one of list, show");
});
