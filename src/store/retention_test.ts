import { assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import { createToken, revokeToken } from "./api_token.ts";
import { appendAudit, verifyAudit } from "./audit_log.ts";
import type { Sql } from "./database.ts";
import { removeOld, RetentionService } from "./retention.ts";

const now = new Date("2030-06-01T00:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const kept = limits.retentionRunsKept;

/** A DAG with one version and `count` runs, one a day, that ended `firstDaysAgo`, … days ago. */
async function addRuns(sql: Sql, { dagId, count, endedDaysAgo, state = "success" }: {
  dagId: string;
  count: number;
  endedDaysAgo: number;
  state?: string;
}) {
  const old = daysAgo(1000);
  await sql`
    insert into dag (dag_id, fileloc, created_at, last_parsed_at)
    values (${dagId}, 'a.ts', ${old}, ${old}) on conflict do nothing`;
  await sql`
    insert into dag_version (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec,
      created_at)
    select gen_random_uuid(), ${dagId}, n, 'm', 'b', 'a.ts', '{}', ${old}
    from generate_series(1, 2) n on conflict do nothing`;
  await sql`
    update dag set dag_version_id = v.id from dag_version v
    where v.dag_id = dag.dag_id and v.version_number = 2`;
  await sql`
    with run as (
      insert into dag_run (id, dag_id, run_id, run_type, state, run_after, queued_at, start_date,
        end_date, dag_version_id)
      select gen_random_uuid(), ${dagId}, ${state} || n, 'manual', ${state}, at, at, at,
        case when ${state} in ('success', 'failed') then at end, d.dag_version_id
      from generate_series(1, ${count}::int) n
      cross join lateral (
        select ${daysAgo(endedDaysAgo)}::timestamptz - n * interval '1 minute' as at) t
      join dag d on d.dag_id = ${dagId}
      returning id),
    task as (
      insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
      select gen_random_uuid(), id, ${dagId}, 't', 'success', 0 from run returning id, dag_run_id),
    try as (
      insert into attempt (id, task_instance_id, dag_run_id, try_number, state, end_reason,
        queued_at, end_date)
      select gen_random_uuid(), id, dag_run_id, 1, 'ended', 'success', ${old}, ${old} from task)
    insert into task_output (task_instance_id, output) select id, '1' from task`;
}

async function counts(sql: Sql) {
  const [row] = await sql`
    select (select count(*) from dag_run) as runs, (select count(*) from task_instance) as tasks,
      (select count(*) from attempt) as attempts, (select count(*) from task_output) as outputs`;
  return { ...row };
}

Deno.test("removeOld() removes old runs with all that is theirs, but a DAG's newest", async () => {
  await using db = await testDatabase();
  const count = limits.retentionBatch + 50;
  await addRuns(db.sql, { dagId: "a", count, endedDaysAgo: 91 });

  const removed = await removeOld(db.sql, { now });

  assertEquals([removed.runs, removed.dagVersions], [count - kept, 1]);
  const left = { runs: kept, tasks: kept, attempts: kept, outputs: kept };
  assertEquals(await counts(db.sql), left);
  assertEquals((await removeOld(db.sql, { now })).runs, 0);
});

Deno.test("removeOld() leaves young runs, unfinished ones and a DAG's last success", async () => {
  await using db = await testDatabase();
  await addRuns(db.sql, { dagId: "a", count: 1, endedDaysAgo: 300 });
  await addRuns(db.sql, { dagId: "a", count: 1, endedDaysAgo: 200, state: "running" });
  await addRuns(db.sql, { dagId: "a", count: kept + 1, endedDaysAgo: 89, state: "failed" });

  assertEquals((await removeOld(db.sql, { now })).runs, 0);
  assertEquals((await removeOld(db.sql, { now, policy: { runDays: 30 } })).runs, 1);

  const left = await db.sql`select distinct state from dag_run order by 1`;
  assertEquals(left.map(({ state }) => state), ["failed", "running", "success"]);
});

Deno.test("removeOld() keeps every run that published, and so every version's lineage", async () => {
  await using db = await testDatabase();
  await addRuns(db.sql, { dagId: "a", count: kept + 2, endedDaysAgo: 500 });
  await db.sql`insert into dataset (name, kind, created_at) values ('d', 'raw', ${now})`;
  await db.sql`
    insert into dataset_version (id, dataset, partition, version, kind, known_at, sha256, bytes,
      files, attempt_id, dag_run_id, dag_version_id, dag_id, run_id, task_id)
    select id, 'd', 'p', 1, 'raw', ${now}, 'x', 1, '[]', id, id, dag_version_id, dag_id, run_id, 't'
    from dag_run order by run_after limit 1`;

  assertEquals((await removeOld(db.sql, { now })).runs, 1);

  const [{ orphans }] = await db.sql`
    select count(*) as orphans from lineage_runs where run_type is null`;
  assertEquals(orphans, 0);
});

Deno.test("removeOld() cuts the audit log at its old end, and it still verifies", async () => {
  await using db = await testDatabase();
  for (const days of [500, 450, 1]) {
    await appendAudit(db.sql, { event: { event: "e", actor: "a" }, now: daysAgo(days) });
  }

  assertEquals((await removeOld(db.sql, { now })).auditEntries, 2);
  assertEquals(await verifyAudit(db.sql), { ok: true, entries: 1 });
  assertEquals((await removeOld(db.sql, { now, policy: { auditDays: 0 } })).auditEntries, 0);
});

Deno.test("removeOld() removes tokens that ended long ago", async () => {
  await using db = await testDatabase();
  const ids = seededIds(new VirtualClock(), seededRandom(1));
  const add = (name: string, expiresAt: Date | null) =>
    createToken(db.sql, { name, role: "viewer", ids, now: daysAgo(500), expiresAt });
  await add("expired", daysAgo(91));
  await add("just expired", daysAgo(89));
  const { row } = await add("revoked", daysAgo(1));
  await revokeToken(db.sql, { id: row.id, now: daysAgo(100) });
  await add("alive", null);

  assertEquals((await removeOld(db.sql, { now })).tokens, 2);
  const left = await db.sql`select name from api_token order by name`;
  assertEquals(left.map(({ name }) => name), ["alive", "just expired"]);
});

Deno.test("removeOld() leaves the work to the process that is at it", async () => {
  await using db = await testDatabase();
  await addRuns(db.sql, { dagId: "a", count: kept + 1, endedDaysAgo: 91 });

  await db.sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(7823465013)`;
    assertEquals((await removeOld(db.sql, { now })).runs, 0);
  });

  assertEquals((await removeOld(db.sql, { now })).runs, 1);
});

Deno.test("RetentionService removes once an hour, and tells of trouble", async () => {
  await using db = await testDatabase();
  const clock = new VirtualClock(now);
  const passes: Date[] = [];
  const service = new RetentionService({
    sql: db.sql,
    clock,
    log: silentLogger,
    also: (before) => {
      passes.push(before);
      return passes.length > 1 ? Promise.reject(new Error("disk")) : Promise.resolve();
    },
  });

  await service.start();
  assertEquals([clock.nextWakeAt(), passes], [new Date(now.getTime() + 3_600_000), []]);
  await service.runOnce();
  assertEquals([passes, service.health().detail?.trouble], [[daysAgo(90)], null]);
  await service.runOnce();
  assertEquals(service.health().detail?.trouble, "disk");
  await service.stop();
});
