/** @module What every {@link BackfillStore} must do: the same on PostgreSQL and in memory. */
import { assertEquals } from "@std/assert";
import { limits } from "../../src/base/limits.ts";
import { DagSpec } from "../../src/model/dag_spec.ts";
import type { BackfillStore, NewBackfill, PlannedDate } from "../../src/store/backfill_port.ts";
import type { RunState } from "../../src/model/run_state.ts";
import { noWrites, type StoreUnderTest } from "./engine_store_world.ts";

/** A store under test with its backfills. */
export interface BackfillsUnderTest extends StoreUnderTest {
  backfills: BackfillStore;
  /** The dates of a backfill in their order: the reason, the state of its run, or "planned". */
  dates(id: string): Promise<{ date: Date; state: string; runId: string | null }[]>;
  /** How it ended; null: it did not. */
  end(id: string): Promise<string | null>;
}

const dayMs = 86_400_000;
const firstDay = Date.parse("2029-01-01T00:00:00Z");

/** Two tasks in a row with a retry, every day. */
export const dailySpec: DagSpec = DagSpec.parse({
  dagId: "daily",
  schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" },
  tasks: ["a", "b"].map((taskId, i) => ({
    taskId,
    operator: "task",
    upstream: i ? ["a"] : [],
    retry: { retries: 1 },
  })),
});

/** Days from the first one on. */
export function days(count: number, from = 0): PlannedDate[] {
  return Array.from({ length: count }, (_, i) => {
    const start = new Date(firstDay + (from + i) * dayMs);
    const end = new Date(start.getTime() + dayMs);
    return { logicalDate: start, interval: { start, end }, runAfter: end };
  });
}

class World {
  private constructor(readonly under: BackfillsUnderTest, readonly epoch: number) {}

  static async create(under: BackfillsUnderTest) {
    await under.addDag(dailySpec);
    const lease = await under.store.takeLease("me", null, under.clock.now());
    return new World(under, lease!.epoch);
  }

  get now() {
    return this.under.clock.now();
  }

  get backfills() {
    return this.under.backfills;
  }

  make(dates: PlannedDate[], some: Partial<NewBackfill> = {}): Promise<string> {
    return this.backfills.create(
      {
        dagId: "daily",
        fromDate: dates[0].logicalDate,
        toDate: dates.at(-1)!.logicalDate,
        dagRunConf: {},
        reprocessBehavior: "none",
        maxActiveRuns: 10,
        runBackwards: false,
        runOnLatestVersion: true,
        share: 1,
        triggeringUserName: null,
        ...some,
      },
      dates,
      this.now,
    );
  }

  fill(id?: string) {
    return this.backfills.fill({ id }, this.now);
  }

  async states(id: string) {
    return (await this.under.dates(id)).map((date) => date.state);
  }

  /** Move the run of a backfill's date as the scheduler would. */
  async move(id: string, index: number, ...to: RunState[]) {
    const { runId } = (await this.under.dates(id))[index];
    for (const state of to) {
      const [{ run }] = await this.under.store.loadRuns([runId!]);
      const runMoves = [{ id: run.id, from: run.state, to: state }];
      await this.under.store.applyTick(this.epoch, { ...noWrites, runMoves }, this.now);
    }
    return runId!;
  }

  async run(id: string) {
    const [{ run, tasks }] = await this.under.store.loadRuns([id]);
    return { ...run, tasks };
  }
}

/** Register the suite; `open` gives a fresh store for each test. */
export function backfillStoreSuite(name: string, open: () => Promise<BackfillsUnderTest>) {
  const test = (fact: string, body: (world: World) => Promise<void>) =>
    Deno.test(`${name}: ${fact}`, async () => {
      await using under = await open();
      await body(await World.create(under));
    });

  test("fill() gives planned dates their runs, in their order and once", async (w) => {
    const id = await w.make(days(3).reverse(), { dagRunConf: { x: 1 } });
    assertEquals(await w.states(id), ["planned", "planned", "planned"]);
    const filled = await Promise.all([w.fill(), w.fill(), w.fill(id)]);
    assertEquals(filled.reduce((sum, each) => sum + each.runs, 0), 3);
    assertEquals(await w.states(id), ["queued", "queued", "queued"]);
    const runs = await w.under.store.loadRuns();
    assertEquals(
      runs.map(({ run, tasks }) => [
        run.runId,
        run.runType,
        run.backfillId,
        run.backfillOrdinal,
        run.conf,
        run.dataIntervalEnd!.toISOString().slice(0, 10),
        tasks.length,
      ]).sort(),
      ["01", "02", "03"].map((day, i) => [
        `backfill__2029-01-${day}T00:00:00.000Z`,
        "backfill",
        id,
        3 - i,
        { x: 1 },
        `2029-01-0${i + 2}`,
        2,
      ]),
    );
  });

  test("fill() keeps a bounded number of runs in the queue", async (w) => {
    const id = await w.make(days(limits.backfillQueued + 2));
    assertEquals((await w.fill()).runs, limits.backfillQueued);
    assertEquals((await w.fill()).settled, 0);
    await w.move(id, 0, "running");
    assertEquals((await w.fill()).runs, 1);
    const states = await w.states(id);
    assertEquals(states.at(-1), "planned");
    assertEquals(states.at(-2), "queued");
  });

  test("a run's end does not complete a backfill that has planned dates", async (w) => {
    const id = await w.make(days(1));
    await w.fill();
    assertEquals(await w.backfills.extend(id, range(days(1, 1)), w.now), 1);
    await w.move(id, 0, "running", "success");
    assertEquals([await w.under.end(id), await w.backfills.complete(w.now)], [null, 0]);
    await w.fill();
    await w.move(id, 1, "running", "success");
    await w.backfills.complete(w.now);
    assertEquals([await w.under.end(id), await w.backfills.isBusy()], ["completed", false]);
  });

  test("fill() leaves runs that exist alone, or runs them again when told to", async (w) => {
    const first = await w.make(days(3));
    await w.fill();
    await w.move(first, 0, "running", "success");
    await w.move(first, 1, "running", "failed");
    const expected = {
      none: ["already exists", "already exists", "in flight"],
      failed: ["already exists", "queued", "in flight"],
      completed: ["queued", "in flight", "in flight"],
    };
    for (const reprocessBehavior of ["none", "failed", "completed"] as const) {
      const id = await w.make(days(3), { reprocessBehavior, dagRunConf: { again: true } });
      await w.fill();
      assertEquals(await w.states(id), expected[reprocessBehavior]);
    }
  });

  test("a run that runs again is the backfill's, with a fresh budget of tries", async (w) => {
    const first = await w.make(days(1));
    await w.fill();
    const runId = await w.move(first, 0, "running", "failed");
    const again = { reprocessBehavior: "failed", dagRunConf: { again: true } } as const;
    const id = await w.make(days(1), again);
    assertEquals(await w.fill(), { settled: 1, runs: 1 });
    const run = await w.run(runId);
    assertEquals([run.state, run.backfillId, run.conf], ["queued", id, { again: true }]);
    assertEquals(run.tasks.map((task) => [task.state, task.maxTries]), [["none", 1], ["none", 1]]);
    // A word on the run that comes late changes nothing.
    const late = { ...noWrites, runMoves: [{ id: runId, from: "running", to: "failed" } as const] };
    assertEquals((await w.under.store.applyTick(w.epoch, late, w.now)).runMoves, []);
  });

  test("dates that another backfill has planned are in flight, not doubled", async (w) => {
    const first = await w.make(days(3), { isPaused: true });
    const second = await w.make(days(3, 1), { reprocessBehavior: "completed" });
    await w.fill();
    assertEquals(await w.states(second), ["in flight", "in flight", "queued"]);
    assertEquals(await w.states(first), ["planned", "planned", "planned"]);
    assertEquals(await w.backfills.change(first, { isPaused: false }, w.now), true);
    await w.fill();
    assertEquals((await w.under.store.loadRuns()).length, 4);
    assertEquals(await w.states(first), ["queued", "queued", "queued"]);
  });

  test("change() sets limit, share and pause, and not of one that is over", async (w) => {
    const id = await w.make(days(1));
    await w.fill();
    const change = { maxActiveRuns: 3, share: 0.25, isPaused: true };
    assertEquals(await w.backfills.change(id, change, w.now), true);
    const limitsOf = async () =>
      (await w.under.store.loadBackfills()).find((backfill) => backfill.id === id);
    assertEquals(await limitsOf(), { id, ...change });
    assertEquals(await w.backfills.cancel(id, { isNow: false, by: "ann" }, w.now), true);
    assertEquals(await w.backfills.change(id, change, w.now), false);
    assertEquals(await w.backfills.change("999", change, w.now), false);
  });

  test("cancel() makes no more runs, cancels what is queued, and lets others finish", async (w) => {
    const id = await w.make(days(2));
    await w.fill();
    await w.backfills.extend(id, range(days(1, 2)), w.now);
    const running = await w.move(id, 0, "running");
    await w.backfills.change(id, { isPaused: true }, w.now);
    assertEquals(await w.backfills.cancel(id, { isNow: false, by: "ann" }, w.now), true);
    assertEquals(await w.fill(), { settled: 0, runs: 0 });
    const [, queued, planned] = await w.under.dates(id);
    assertEquals([planned.state, await w.under.end(id)], ["cancelled", "cancelled"]);
    const run = await w.run(queued.runId!);
    assertEquals(run.cancelRequestedAt, w.now);
    assertEquals(run.tasks.map((task) => task.state), ["cancelled", "cancelled"]);
    assertEquals((await w.run(running)).cancelRequestedAt, null);
    // A run of it that is cleared later is not held back by its pause (apache/airflow 72337).
    const [left] = await w.under.store.loadBackfills();
    assertEquals(left.isPaused, false);
    assertEquals(await w.backfills.cancel(id, { isNow: true, by: "ann" }, w.now), false);
  });

  test("cancel() at once also cancels what is running", async (w) => {
    const id = await w.make(days(1));
    await w.fill();
    const running = await w.move(id, 0, "running");
    await w.backfills.cancel(id, { isNow: true, by: "ann" }, w.now);
    assertEquals((await w.run(running)).cancelRequestedAt, w.now);
  });

  test("extend() adds dates once, after the others, and not to a cancelled one", async (w) => {
    const id = await w.make(days(2, 2));
    assertEquals(await w.backfills.extend(id, range(days(5)), w.now), 3);
    assertEquals(
      (await w.under.dates(id)).map((each) => each.date.toISOString().slice(8, 10)),
      ["03", "04", "01", "02", "05"],
    );
    await w.backfills.cancel(id, { isNow: false, by: "ann" }, w.now);
    assertEquals(await w.backfills.extend(id, range(days(1, 9)), w.now), null);
    assertEquals(await w.backfills.extend("999", range(days(1, 9)), w.now), null);
  });

  test("rerunFailed() plans what failed or was cancelled anew, and nothing else", async (w) => {
    const id = await w.make(days(3));
    await w.fill();
    await w.backfills.extend(id, range(days(1, 3)), w.now);
    const failed = await w.move(id, 0, "running", "failed");
    await w.move(id, 1, "running", "success");
    await w.move(id, 2, "running");
    await w.backfills.cancel(id, { isNow: false, by: "ann" }, w.now);
    assertEquals(await w.backfills.rerunFailed(id, w.now), 2);
    assertEquals(await w.under.end(id), null);
    assertEquals(await w.states(id), ["planned", "success", "running", "planned"]);
    await w.fill();
    assertEquals(await w.states(id), ["queued", "success", "running", "queued"]);
    assertEquals((await w.run(failed)).tasks.map((task) => task.state), ["none", "none"]);
    assertEquals(await w.backfills.rerunFailed(id, w.now), 0);
    assertEquals(await w.backfills.rerunFailed("999", w.now), null);
  });
}

function range(dates: PlannedDate[]) {
  return { fromDate: dates[0].logicalDate, toDate: dates.at(-1)!.logicalDate, dates };
}
