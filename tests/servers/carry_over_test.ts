import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { openDatabase } from "../../src/store/database.ts";
import { olderVersions, prepareBinaries } from "../../src/store/embedded/binaries.ts";
import { clusterUrls, ensureCluster } from "../../src/store/embedded/cluster.ts";
import { startEmbedded } from "../../src/store/embedded/mod.ts";
import { choosePlace } from "../../src/store/embedded/place.ts";
import { startPostmaster } from "../../src/store/embedded/postmaster.ts";
import { configure } from "../../src/store/embedded/settings.ts";
import { migrate } from "../../src/store/migrate.ts";
import { migrations } from "../../src/store/migrations/mod.ts";

const now = new Date("2030-01-01T00:00:00Z");

for (const major of [15, 17]) {
  Deno.test(`startEmbedded() carries the data of PostgreSQL ${major} over`, async () => {
    const home = await Deno.makeTempDir({ prefix: "tidewheel-carry-" });
    await Deno.chmod(home, 0o755);
    try {
      await fillOld(home, major);

      const { url, service } = await startEmbedded({ home });

      const sql = await openDatabase(url);
      const [row] = await sql`
        select current_setting('server_version_num')::int / 10000 as major,
          (select count(*) from pool) as pools, (select spec from dag_version) as spec,
          (select max(id) from backfill) as backfill, (select max(version) from schema_migration)
          as version`;
      assertEquals({ ...row }, {
        major: 18,
        pools: 1,
        spec: { text: "tab\t line\n back\\slash é" },
        backfill: 1,
        version: 1,
      });
      assertEquals((await migrate(sql, { now })).version, migrations.length);
      const [next] = await insertBackfill(sql);
      assertEquals(next.id, 2);
      await sql.end();
      await service.stop();
      assertEquals((await Deno.stat(`${home}/postgres/data-${major}.carried`)).isDirectory, true);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}

/** A database of an earlier Tidewheel: the first step only, and the one pool it came with. */
async function fillOld(home: string, major: number): Promise<void> {
  const place = await choosePlace(home);
  const binaries = await prepareBinaries(place.serverDir, olderVersions[major]);
  const dataDir = `${place.dir}/data-${major}`;
  const file = await ensureCluster({ place, binaries, dataDir });
  await configure(place, dataDir, { port: file.port, major });
  const server = await startPostmaster({ binaries, place, dataDir, clock: systemClock });
  const sql = await openDatabase(clusterUrls(place, file).url);
  await migrate(sql, { now, migrations: migrations.slice(0, 1) });
  await sql`
    insert into dag (dag_id, fileloc, created_at, last_parsed_at) values ('d', 'd.ts', ${now}, ${now})`;
  const spec = { text: "tab\t line\n back\\slash é" };
  await sql`
    insert into dag_version (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec,
      created_at)
    values (gen_random_uuid(), 'd', 1, 'm', 'b', 'd.ts', ${sql.json(spec)}, ${now})`;
  await insertBackfill(sql);
  await sql.end();
  await server.stop();
}

function insertBackfill(sql: Awaited<ReturnType<typeof openDatabase>>) {
  return sql`
    insert into backfill (dag_id, from_date, to_date, max_active_runs, created_at, updated_at)
    values ('d', ${now}, ${now}, 1, ${now}, ${now}) returning id`;
}
