/**
 * @module Seeded histories with the store of production: each write is made on PostgreSQL and in
 * memory, and both must say the same.
 *
 *     deno run -A tests/simulation/postgres.ts --histories 100 --seed 1
 */
import { parseArgs } from "node:util";
import { testDatabase } from "../support/database.ts";
import type { History } from "./history.ts";
import { simulate } from "./simulate.ts";

/** Run the histories of these seeds; throws at the first that fails. */
export async function simulateOnPostgres(
  { histories, seed }: { histories: number; seed: number },
): Promise<History[]> {
  await using db = await testDatabase();
  const done: History[] = [];
  for (let i = 0; i < histories; i++) {
    await db.sql`
      truncate event_outbox, backfill, dag, dag_version, dag_run, task_instance, attempt, leader_lease, dataset cascade`;
    done.push(await simulate(seed + i, { sql: db.sql }));
  }
  return done;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      histories: { type: "string", default: "20" },
      seed: { type: "string", default: "1" },
    },
  });
  const [histories, seed] = [Number(values.histories), Number(values.seed)];
  try {
    const done = await simulateOnPostgres({ histories, seed });
    const runs = done.reduce((sum, history) => sum + history.runs, 0);
    console.log(`${runs} DAG runs in ${histories} histories on PostgreSQL: all held`);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
