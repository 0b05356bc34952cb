import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import { logKey } from "../logs/mod.ts";
import { fileObjectStore } from "../objects/file.ts";
import { leftoverSweep } from "./retention.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const data = new TextEncoder().encode("x");

const json = JSON.stringify;

/** A database, a store of files and a home, with one DAG in one version. */
async function world() {
  const db = await testDatabase();
  const { sql } = db;
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-retention-" });
  const clock = new VirtualClock("2030-01-01T00:00:00Z");
  const ids = seededIds(clock, seededRandom(1));
  const store = fileObjectStore(`${dir}/objects`);
  const broken = new Set<string>();
  const objects = {
    ...store,
    delete: (key: string) =>
      broken.has(key) ? Promise.reject(new Error("storage is away")) : store.delete(key),
  };
  const [logsDir, cacheDir] = [`${dir}/logs`, `${dir}/cache`];
  await Deno.mkdir(logsDir);
  const bundle = "a".repeat(64);
  const versionId = ids.uuid();
  const now = clock.now();
  await sql`
    insert into dag (dag_id, fileloc, created_at, last_parsed_at)
    values ('d', 'd.ts', ${now}, ${now})`;
  await sql`
    insert into dag_version (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec,
      created_at)
    values (${versionId}, 'd', 1, 'm', ${bundle}, 'd.ts', '{}', ${now})`;
  await sql`insert into dataset (name, kind, created_at) values ('s', 'raw', ${now})`;
  const sweep = leftoverSweep({ sql, clock, log: silentLogger, objects, logsDir, cacheDir });
  return {
    ...{ sql, clock, objects, logsDir, cacheDir, bundle, broken },
    sweep: (signal?: AbortSignal) => sweep(clock.now(), signal),
    /** A run; its id. */
    async addRun() {
      const id = ids.uuid();
      const at = clock.now();
      await sql`
        insert into dag_run (id, dag_id, run_id, run_type, state, run_after, queued_at, end_date,
          dag_version_id)
        values (${id}, 'd', ${id}, 'manual', 'success', ${at}, ${at}, ${at}, ${versionId})`;
      return id;
    },
    /** An attempt that ended now and left `files` and a log; its id. */
    async addAttempt(runId: string, endReason: string, files = ["0-a", "1-b"]) {
      const [task, id] = [ids.uuid(), ids.uuid()];
      const at = clock.now();
      await sql`
        insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
        values (${task}, ${runId}, 'd', ${task}, 'success', 0)`;
      await sql`
        insert into attempt (id, task_instance_id, dag_run_id, try_number, state, end_reason,
          queued_at, end_date)
        values (${id}, ${task}, ${runId}, 1, 'ended', ${endReason}, ${at}, ${at})`;
      for (const file of files) await store.put(`attempts/${id}/${file}`, data);
      await store.put(`logs/${logKey(id)}`, data);
      return id;
    },
    /** A version that a run published of these files. */
    async publish(runId: string, files: string[], lineageFiles: string[] = []) {
      const id = ids.uuid();
      const refs = (keys: string[]) => json(keys.map((key) => ({ key, bytes: 1 })));
      await sql`
        insert into dataset_version (id, dataset, partition, version, kind, known_at, sha256, bytes,
          files, lineage_files, attempt_id, dag_run_id, dag_id, run_id, task_id)
        values (${id}, 's', ${id}, 1, 'raw', ${clock.now()}, 'h', 1,
          ${refs(files)}::text::jsonb, ${refs(lineageFiles)}::text::jsonb, ${id}, ${runId}, 'd',
          'r', 't')`;
    },
    /** Keys below a prefix, without it. */
    async keys(prefix: string) {
      const found = await Array.fromAsync(store.list(prefix));
      return found.map(({ key }) => key.slice(prefix.length));
    },
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test("the sweep removes logs and files of attempts whose run is gone, a day later", async () => {
  await using w = await world();
  const gone = await w.addRun();
  const attempts = [await w.addAttempt(gone, "success"), await w.addAttempt(gone, "task_error")];
  const local = `${w.logsDir}/${logKey(attempts[0])}`;
  await Deno.mkdir(`${w.logsDir}/20300101`);
  await Deno.writeTextFile(local, "line\n");
  const kept = await w.addRun();
  await w.addAttempt(kept, "success");
  await w.sql`delete from dag_run where id = ${gone}`;

  assertEquals((await w.sweep()).files, 0);
  w.clock.advance(DAY_MS);
  const removed = await w.sweep();

  assertEquals([removed.logs, removed.files, removed.bytes], [2, 4, 4]);
  assertEquals([(await w.keys("attempts/")).length, (await w.keys("logs/")).length], [2, 1]);
  assertEquals([...Deno.readDirSync(w.logsDir)], []);
  const [{ left }] = await w.sql`select count(*) as left from removed_attempt`;
  assertEquals(left, 0);
});

Deno.test("the sweep keeps every file that a dataset version came from", async () => {
  await using w = await world();
  const [gone, published] = [await w.addRun(), await w.addRun()];
  const used = await w.addAttempt(gone, "success", ["0-data", "1-lineage", "2-rubbish"]);
  const inCells = await w.addAttempt(published, "success", ["0-raw"]);
  await w.publish(published, [`attempts/${used}/0-data`], [`attempts/${used}/1-lineage`]);
  await w.sql`delete from dag_run`;

  await w.sweep();
  w.clock.advance(DAY_MS);
  assertEquals((await w.sweep()).files, 1);

  assertEquals(await w.keys(`attempts/${used}/`), ["0-data", "1-lineage"]);
  assertEquals(await w.keys(`attempts/${inCells}/`), ["0-raw"]);
  assertEquals(await w.keys("logs/"), []);
});

Deno.test("the sweep keeps what a task's state names for as long as it does", async () => {
  await using w = await world();
  const run = await w.addRun();
  const id = await w.addAttempt(run, "success", ["0-known"]);
  await w.sql`
    insert into task_state (dag_id, task_id, map_index, key, value, updated_at)
    values ('d', 't', -1, 'k', ${
    json({ file: { key: `attempts/${id}/0-known` } })
  }::text::jsonb, ${w.clock.now()})`;
  await w.sql`delete from dag_run`;

  for (let day = 0; day < 3; day++) {
    assertEquals((await w.sweep()).files, 0);
    w.clock.advance(DAY_MS);
  }
  await w.sql`delete from task_state`;
  assertEquals((await w.sweep()).files, 1);
});

Deno.test("the sweep removes what attempts without success left, once, and no one else's", async () => {
  await using w = await world();
  const run = await w.addRun();
  const good = await w.addAttempt(run, "success");
  const lost = await w.addAttempt(run, "worker_lost");
  const named = await w.addAttempt(run, "task_error");
  await w.sql`
    insert into task_output (task_instance_id, output)
    select task_instance_id, ${
    json({ key: `attempts/${named}/0-a` })
  }::text::jsonb from attempt where id = ${named}`;
  assertEquals((await w.sweep()).files, 0);
  w.clock.advance(DAY_MS + 1);
  const young = await w.addAttempt(run, "task_error");

  assertEquals((await w.sweep()).files, 2);

  for (const [id, files] of [[good, 2], [lost, 0], [named, 2], [young, 2]] as const) {
    assertEquals((await w.keys(`attempts/${id}/`)).length, files);
  }
  assertEquals((await w.keys("logs/")).length, 4);
  await w.objects.put(`attempts/${lost}/late`, data);
  assertEquals((await w.sweep()).files, 0);
});

Deno.test("the sweep goes on where it was stopped, and past what cannot be removed", async () => {
  await using w = await world();
  const run = await w.addRun();
  const count = limits.retentionBatch + 5;
  const attempts: string[] = [];
  for (let i = 0; i < count; i++) attempts.push(await w.addAttempt(run, "success", ["0"]));
  await w.sql`delete from dag_run`;
  await w.sweep();
  w.clock.advance(DAY_MS);

  assertEquals((await w.sweep(AbortSignal.abort())).files, 0);
  w.broken.add(`attempts/${attempts[0]}/0`);
  assertEquals((await w.sweep()).files, count - 1);
  w.clock.advance(HOUR_MS);
  await assertRejects(() => w.sweep(), Error, "storage is away");
  w.broken.clear();
  w.clock.advance(HOUR_MS);
  assertEquals((await w.sweep()).files, 1);
  assertEquals(await w.keys("attempts/"), []);
});

Deno.test("the sweep removes bundles without a version, from storage and from the cache", async () => {
  await using w = await world();
  const [unused, young] = ["b".repeat(64), "c".repeat(64)];
  const add = async (hash: string) => {
    await w.objects.put(`bundles/${hash}.twb`, data);
    await w.sql`
      insert into dag_bundle (hash, files, packed_bytes, created_at)
      values (${hash}, '[]', 1, ${w.clock.now()})`;
    await Deno.mkdir(`${w.cacheDir}/bundles/${hash}`, { recursive: true });
    await Deno.utime(`${w.cacheDir}/bundles/${hash}`, w.clock.now(), w.clock.now());
  };
  await add(w.bundle);
  await add(unused);
  assertEquals((await w.sweep()).bundles, 0);
  w.clock.advance(DAY_MS + 1000);
  await add(young);

  const removed = await w.sweep();

  assertEquals([removed.bundles, removed.cachedBundles], [1, 1]);
  assertEquals(await w.keys("bundles/"), [`${w.bundle}.twb`, `${young}.twb`]);
  const cached = [...Deno.readDirSync(`${w.cacheDir}/bundles`)].map(({ name }) => name);
  assertEquals(cached.toSorted(), [w.bundle, young]);
});
