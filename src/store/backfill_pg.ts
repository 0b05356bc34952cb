/** @module Backfills on PostgreSQL behind their port, with hints after each commit. */
import type { Sql } from "postgres";
import type { Ids } from "../base/ids.ts";
import type { Product } from "../model/product.ts";
import type { BackfillStore } from "./backfill_port.ts";
import { rerunFailed } from "./backfill_rerun.ts";
import { dueBackfills, fillBackfill } from "./backfill_fill.ts";
import * as write from "./backfill_write.ts";
import type { HintBus } from "./hints.ts";
import { retryTransaction } from "./retry.ts";

/** The store that the product uses. */
export function pgBackfillStore(
  { sql, hints, ids, product }: {
    sql: Sql;
    hints: HintBus;
    ids: Ids;
    /** What this process is: re-runs as they were are of runs of the same. Left out: of any. */
    product?: Product;
  },
): BackfillStore {
  /** Schedulers read its limits anew, batch managers look for work. */
  async function changed(id: string) {
    const [one] = await sql<{ dagId: string }[]>`
      select dag_id as "dagId" from backfill where id = ${id}`;
    if (one) hints.publish({ topic: "dags", ids: [one.dagId] });
  }
  async function tell<T>(id: string, took: T): Promise<T> {
    if (took !== null && took !== false) await changed(id);
    return took;
  }

  return {
    async create(backfill, dates, now) {
      const id = await retryTransaction(() =>
        sql.begin((tx) => write.insertBackfill(tx, backfill, dates, now))
      );
      hints.publish({ topic: "dags", ids: [backfill.dagId] });
      return id;
    },
    extend: async (id, range, now) =>
      await tell(id, await retryTransaction(() => write.extendBackfill(sql, id, range, now))),
    change: async (id, change, now) =>
      await tell(id, await write.changeBackfill(sql, id, change, now)),
    async cancel(id, how, now) {
      const done = await retryTransaction(() => write.cancelBackfill(sql, id, how, now));
      if (!done) return false;
      if (done.stop.length > 0) hints.publish({ topic: "cancel", ids: done.stop });
      if (done.dagRunIds.length > 0) hints.publish({ topic: "runs", ids: done.dagRunIds });
      return await tell(id, true);
    },
    rerunFailed: async (id, now, how) =>
      await tell(id, await retryTransaction(() => rerunFailed(sql, id, now, { ...how, product }))),
    async fill({ id }, now) {
      const sum = { settled: 0, runs: 0 };
      for (const due of await dueBackfills(sql, id)) {
        const { settled, runs, dagRunIds } = await retryTransaction(() =>
          fillBackfill({ sql, ids, product }, due, now)
        );
        sum.settled += settled;
        sum.runs += runs;
        if (dagRunIds.length > 0) hints.publish({ topic: "runs", ids: dagRunIds });
      }
      return sum;
    },
    complete: (now) => write.completeBackfills(sql, now),
    isBusy: () => write.isBusy(sql),
  };
}
