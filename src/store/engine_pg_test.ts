import { engineStoreSuite } from "../../tests/conformance/engine_store.ts";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import { pgEngineStore } from "./engine_pg.ts";
import { localHintBus } from "./hints.ts";
import type { OutboxEvent } from "../model/notice_spec.ts";

engineStoreSuite("PostgreSQL store", async () => {
  const db = await testDatabase();
  const clock = new VirtualClock();
  const ids = seededIds(clock, seededRandom(1));
  const now = clock.now();
  return {
    store: pgEngineStore({ sql: db.sql, hints: localHintBus(), ids, clock }),
    clock,
    async addDag(spec) {
      const id = ids.uuid();
      await db.sql.begin(async (tx) => {
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
    published: async () =>
      await db.sql<
        { dataset: string; partition: string; version: number; knownAt: string }[]
      >`
        select dataset, partition, version, known_at::text as "knownAt"
        from dataset_version order by known_at`,
    async outbox() {
      const rows = await db.sql<OutboxEvent[]>`
        select event_id as "eventId", ordinal, type, dag_id as "dagId", dag_run_id as "dagRunId",
          task_instance_id as "taskInstanceId", subject, occurred_at as "occurredAt", data, target
        from event_outbox order by seq`;
      return rows.map((row) => ({ ...row, data: asJavaScript(row.data) }));
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
});

/** PostgreSQL writes instants in JSON with an offset. */
function asJavaScript(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      /^\d{4}-.*T.*\+00:00$/.test(String(value)) ? new Date(String(value)).toISOString() : value,
    ]),
  );
}
