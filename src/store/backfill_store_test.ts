import { backfillStoreSuite } from "../../tests/conformance/backfill_store.ts";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { memoryBackfillStore } from "../../tests/support/memory_backfills.ts";
import { pgBackfillStore } from "./backfill_pg.ts";
import { memoryEngineStore } from "./engine_memory.ts";
import { pgEngineStore } from "./engine_pg.ts";
import { localHintBus } from "./hints.ts";
import type { SchedulableDag } from "./port.ts";

const published = () => Promise.resolve([]);
const outbox = published;

backfillStoreSuite("PostgreSQL backfills", async () => {
  const db = await testDatabase();
  const { sql } = db;
  const clock = new VirtualClock();
  const ids = seededIds(clock, seededRandom(1));
  const now = clock.now();
  const parts = { sql, hints: localHintBus(), ids, clock };
  return {
    store: pgEngineStore(parts),
    backfills: pgBackfillStore(parts),
    clock,
    ...{ published, outbox },
    async addDag(spec) {
      const id = ids.uuid();
      await sql.begin(async (tx) => {
        await tx`
          insert into dag (dag_id, fileloc, dag_version_id, created_at, last_parsed_at)
          values (${spec.dagId}, 'x.ts', ${id}, ${now}, ${now})`;
        await tx`
          insert into dag_version
            (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec, created_at)
          values (${id}, ${spec.dagId}, 1, '0', '0', 'x.ts',
            ${JSON.stringify(spec)}::text::jsonb, ${now})`;
      });
      return id;
    },
    dates: async (id) =>
      Array.from(
        await sql<{ date: Date; state: string; runId: string | null }[]>`
          select e.logical_date as date, e.dag_run_id as run_id,
            coalesce(e.exception_reason, r.state, 'planned') as state
          from backfill_dag_run e left join dag_run r on r.id = e.dag_run_id
          where e.backfill_id = ${id} order by e.sort_ordinal`,
      ),
    async end(id) {
      const [one] = await sql<{ end: string | null }[]>`
        select end_reason as end from backfill where id = ${id}`;
      return one.end;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
});

backfillStoreSuite("backfills in memory", () => {
  const clock = new VirtualClock();
  const ids = seededIds(clock, seededRandom(1));
  const store = memoryEngineStore({ clock, ids });
  const dags = new Map<string, SchedulableDag>();
  const specs = new Map<string, DagSpec>();
  const backfills = memoryBackfillStore({
    ...{ store, ids },
    dagOf: (dagId) => dags.get(dagId)!,
    specOf: (id) => specs.get(id)!,
  });
  const found = (id: string) => backfills.all().find((one) => one.id === id)!;
  return Promise.resolve({
    ...{ store, clock, backfills, published, outbox },
    addDag(spec) {
      const id = ids.uuid();
      const dag = { dagId: spec.dagId, isPaused: false, isStale: false, dagVersionId: id, spec };
      dags.set(spec.dagId, { ...dag, lastInterval: null, nextRunAt: null });
      specs.set(id, spec);
      store.addDag(
        dags.get(spec.dagId)!,
        { id, dagId: spec.dagId, versionNumber: 1, spec, bundleHash: "0", entry: "x.ts" },
      );
      return Promise.resolve(id);
    },
    dates(id) {
      const runs = new Map(store.runs().map((run) => [run.id, run]));
      return Promise.resolve(
        found(id).dates.map((date) => ({
          date: date.logicalDate,
          runId: date.dagRunId,
          state: date.reason ?? runs.get(date.dagRunId ?? "")?.state ?? "planned",
        })),
      );
    },
    end: (id) => Promise.resolve(found(id).endReason),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
