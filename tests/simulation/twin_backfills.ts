/** @module Backfills in memory and on PostgreSQL side by side, by the same ids: see twin_store.ts. */
import type { Clock } from "../../src/base/clock.ts";
import type { Ids } from "../../src/base/ids.ts";
import type { BackfillStore } from "../../src/store/backfill_port.ts";
import { pgBackfillStore } from "../../src/store/backfill_pg.ts";
import { localHintBus } from "../../src/store/hints.ts";
import type { MemoryBackfillStore } from "../support/memory_backfills.ts";
import type { TwinStore } from "./twin_store.ts";

/** Ids that one store takes, and the other takes again. */
export interface TwinIds {
  first: Ids;
  second: Ids;
}

/** Those of a generator, twice in the same order. */
export function twinIds(ids: Ids): TwinIds {
  const taken: string[] = [];
  return {
    first: {
      ...ids,
      uuid() {
        const id = ids.uuid();
        taken.push(id);
        return id;
      },
    },
    second: {
      ...ids,
      uuid() {
        const id = taken.shift();
        if (id === undefined) {
          throw new Error("PostgreSQL makes a run that the memory store did not");
        }
        return id;
      },
    },
  };
}

/** The store in memory, with each call made on PostgreSQL too; both must say the same. */
export function twinBackfills(
  memory: MemoryBackfillStore,
  twin: TwinStore,
  { ids, clock }: { ids: Ids; clock: Clock },
): MemoryBackfillStore {
  const pg = pgBackfillStore({ sql: twin.sql, hints: localHintBus(), ids });
  /** PostgreSQL numbers its own. */
  const numbers = new Map<string, string>();
  const both = <T>(
    name: string,
    call: (store: BackfillStore, id: string) => Promise<T>,
    id = "",
  ): Promise<T> => twin.both(name, () => call(memory, id), () => call(pg, numbers.get(id) ?? ""));
  /** Whatever ends a backfill ends it in both before anything else is done. */
  const even = () => {
    void twin.alone(() => memory.complete(clock.now()), () => pg.complete(clock.now()));
  };
  const evenly = <T>(given: Promise<T>): Promise<T> => {
    even();
    return given;
  };
  return {
    ...memory,
    create(...given) {
      let own = "";
      return evenly(
        twin.both("create", async () => own = await memory.create(...given), async () => {
          numbers.set(own, await pg.create(...given));
          return own;
        }),
      );
    },
    extend: (id, range, now) =>
      evenly(both("extend", (store, id) => store.extend(id, range, now), id)),
    change: (id, change, now) =>
      evenly(both("change", (store, id) => store.change(id, change, now), id)),
    cancel: (id, how, now) => evenly(both("cancel", (store, id) => store.cancel(id, how, now), id)),
    rerunFailed: (id, now) =>
      evenly(both("rerunFailed", (store, id) => store.rerunFailed(id, now), id)),
    fill: (which, now) => evenly(both("fill", (store) => store.fill(which, now))),
    complete() {
      even();
      return Promise.resolve(0);
    },
    all: () => memory.all(),
  };
}
