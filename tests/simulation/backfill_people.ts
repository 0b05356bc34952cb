/**
 * @module Backfills in a simulated history: several at once, made, changed, paused, cancelled, extended
 * and run again by people, with a batch manager that is away now and then, and what must hold of them.
 */
import type { VirtualClock } from "../../src/base/clock.ts";
import type { Ids } from "../../src/base/ids.ts";
import { shareOf } from "../../src/model/backfill.ts";
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { DagRun } from "../../src/model/rows.ts";
import { isRunFinished } from "../../src/model/run_state.ts";
import { occupyingTaskStates } from "../../src/model/task_state.ts";
import type { PlannedDate } from "../../src/store/backfill_port.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import {
  type MemoryBackfill,
  type MemoryBackfillStore,
  memoryBackfillStore,
  type MemoryDate,
} from "../support/memory_backfills.ts";
import { twinBackfills, twinIds } from "./twin_backfills.ts";
import type { TwinStore } from "./twin_store.ts";
import { Violation, type Writer } from "./checkers.ts";
import type { Dice } from "./dag_maker.ts";

/** What of the world they need. */
export interface BackfillWorld {
  store: MemoryEngineStore;
  clock: VirtualClock;
  ids: Ids;
  /** Their own, so that the rest of a history is the same without them. */
  dice: Dice;
  /** PostgreSQL beside the memory store; null: there is none. */
  twin: TwinStore | null;
  pools: ReadonlyMap<string, number>;
  dagIds: readonly string[];
  start: Date;
  newest(dagId: string): { dagVersionId: string; spec: DagSpec };
  specOf(dagVersionId: string): DagSpec;
  isFaulty(): boolean;
  /** A write that the checkers look at. */
  checked<T>(writer: Writer, what: string, write: () => Promise<T>): Promise<T>;
  cleared(dagRunId: string): void;
  cancelled(run: DagRun): void;
  count(fault: string): void;
}

const BACKFILLS_MAX = 6;
const intervalMs = 60_000;
const isPlanned = (date: MemoryDate) => date.dagRunId === null && date.reason === null;

/** See the module. */
export class BackfillPeople {
  readonly #backfills: MemoryBackfillStore;
  readonly #memory: MemoryBackfillStore;
  /** The largest that each was ever allowed: hints of a change may be on their way. */
  readonly #largest = new Map<string, { runs: number; share: number }>();
  /** How often each date was asked for, and how often it got a run. */
  readonly #asked = new Map<MemoryDate, number>();
  readonly #made = new Map<MemoryDate, number>();
  #tasksMax = 0;

  constructor(readonly world: BackfillWorld) {
    const { twin, clock } = world;
    const ids = twinIds(world.ids);
    const memory = this.#memory = memoryBackfillStore({
      store: world.store,
      ids: twin ? ids.first : world.ids,
      dagOf: (dagId) => world.newest(dagId),
      specOf: (id) => world.specOf(id),
    });
    this.#backfills = twin ? twinBackfills(memory, twin, { ids: ids.second, clock }) : memory;
  }

  /** Begin; goes on until all is over. */
  start(): void {
    void this.#manage();
    void this.#live();
  }

  /** People let go on what they paused. */
  heal(): void {
    for (const { id } of this.#backfills.all()) void this.#change(id, { isPaused: false });
  }

  isOver(): boolean {
    return this.#backfills.all().every((backfill) => backfill.endReason !== null);
  }

  /** Make runs as the batch manager does; one that is killed leaves nothing half done. */
  async #manage() {
    const { clock, dice } = this.world;
    for (;;) {
      await clock.sleep(dice.int(300, 3_000));
      if (this.world.isFaulty() && dice.chance(0.3)) {
        this.world.count("batch manager killed");
        await clock.sleep(dice.int(1_000, 10_000));
      }
      await this.#fill();
      // Another one looks at the same time.
      if (dice.chance(0.1)) await this.#fill();
      await this.#backfills.complete(clock.now());
    }
  }

  async #fill() {
    const { store, clock } = this.world;
    const known = new Set(store.runs().map((run) => run.id));
    const planned = this.#dates().filter(isPlanned);
    await this.world.checked("user-clear", "fill", () => {
      const filled = this.#backfills.fill({}, clock.now());
      for (const date of planned) {
        if (date.dagRunId === null || date.reason !== null) continue;
        this.#made.set(date, (this.#made.get(date) ?? 0) + 1);
        if (known.has(date.dagRunId)) this.world.cleared(date.dagRunId);
      }
      return filled;
    });
  }

  async #live() {
    const { clock, dice } = this.world;
    while (this.world.isFaulty()) {
      await clock.sleep(dice.int(1_500, 9_000));
      if (!this.world.isFaulty()) return;
      const all = this.#backfills.all();
      const action = dice.int(0, 9);
      if (all.length === 0 || action < 2 && all.length < BACKFILLS_MAX) await this.#create();
      else await this.#touch(dice.pick(all), action);
    }
  }

  async #create() {
    const { dice, clock, dagIds } = this.world;
    const dates = this.#range(dice.int(0, 20), dice.int(1, 8));
    const runBackwards = dice.chance(0.4);
    const some = { maxActiveRuns: dice.int(1, 3), share: dice.pick([0.3, 0.5, 1, 1]) };
    const id = await this.#backfills.create(
      {
        dagId: dice.pick(dagIds),
        fromDate: dates[0].logicalDate,
        toDate: dates.at(-1)!.logicalDate,
        dagRunConf: {},
        reprocessBehavior: dice.pick(["none", "failed", "completed"]),
        runBackwards,
        // PostgreSQL gives tasks that only the newest version has ids of its own.
        runOnLatestVersion: dice.chance(0.5) && this.world.twin === null,
        triggeringUserName: null,
        ...some,
      },
      runBackwards ? dates.toReversed() : dates,
      clock.now(),
    );
    this.#allow(id, some);
    this.#countAsked();
    this.world.count("backfill made");
  }

  async #touch(backfill: MemoryBackfill, action: number) {
    const { dice, clock } = this.world;
    const { id } = backfill;
    if (action < 5) {
      await this.#change(id, { isPaused: !backfill.isPaused });
      this.world.count("backfill paused or resumed");
    } else if (action === 5) {
      await this.#change(id, { maxActiveRuns: dice.int(1, 4), share: dice.pick([0.3, 1]) });
    } else if (action === 6) {
      const how = { isNow: dice.chance(0.5), by: "someone" };
      const states = how.isNow ? ["queued", "running"] : ["queued"];
      for (const run of this.world.store.runs()) {
        const isOpen = backfill.endReason === null && states.includes(run.state);
        if (run.backfillId === id && isOpen) this.world.cancelled(run);
      }
      await this.world.checked(
        "user-cancel",
        "cancel backfill",
        () => this.#backfills.cancel(id, how, clock.now()),
      );
      this.world.count("backfill cancelled");
    } else if (action === 7) {
      const dates = this.#range(dice.int(0, 20), dice.int(1, 8));
      const range = { fromDate: dates[0].logicalDate, toDate: dates.at(-1)!.logicalDate, dates };
      if (await this.#backfills.extend(id, range, clock.now())) {
        this.world.count("backfill extended");
      }
      this.#countAsked();
    } else {
      const before = new Set(this.#dates().filter(isPlanned));
      if (await this.#backfills.rerunFailed(id, clock.now())) {
        this.world.count("backfill run again");
      }
      for (const date of this.#dates()) {
        if (!isPlanned(date) || before.has(date)) continue;
        this.#asked.set(date, (this.#asked.get(date) ?? 0) + 1);
      }
    }
  }

  async #change(
    id: string,
    change: { isPaused?: boolean; maxActiveRuns?: number; share?: number },
  ) {
    this.#allow(id, change);
    await this.#backfills.change(id, change, this.world.clock.now());
  }

  #allow(id: string, { maxActiveRuns = 0, share = 0 }: { maxActiveRuns?: number; share?: number }) {
    const { runs, share: of } = this.#largest.get(id) ?? { runs: 0, share: 0 };
    this.#largest.set(id, { runs: Math.max(runs, maxActiveRuns), share: Math.max(of, share) });
  }

  #countAsked() {
    for (const date of this.#dates()) if (!this.#asked.has(date)) this.#asked.set(date, 1);
  }

  #dates(): MemoryDate[] {
    return this.#backfills.all().flatMap((backfill) => backfill.dates);
  }

  /** Minutes of the hour before the history, so that no automatic run has one of them. */
  #range(first: number, count: number): PlannedDate[] {
    return Array.from({ length: count }, (_, i) => {
      const start = new Date(this.world.start.getTime() - (60 - first - i) * intervalMs);
      const end = new Date(start.getTime() + intervalMs);
      return { logicalDate: start, interval: { start, end }, runAfter: end };
    });
  }

  /** Runs at a time and shares, after any write. */
  check(): void {
    // On PostgreSQL the end of its last run completes a backfill.
    if (this.world.twin) void this.#memory.complete(this.world.clock.now());
    const running = new Map<string, number>();
    const used = new Map<string, { slots: number; tasks: number }>();
    const runs = new Map(this.world.store.runs().map((run) => [run.id, run]));
    for (const { backfillId, state, dagVersionId } of runs.values()) {
      this.#tasksMax = Math.max(this.#tasksMax, this.world.specOf(dagVersionId).maxActiveTasks);
      if (backfillId === null || state !== "running") continue;
      running.set(backfillId, (running.get(backfillId) ?? 0) + 1);
    }
    for (const [id, count] of running) {
      const { runs: max } = this.#largest.get(id)!;
      if (count > max) throw new Violation(`Backfill ${id} may have ${max} runs, ${count} run`);
    }
    for (const task of this.world.store.tasks()) {
      const { backfillId, dagVersionId } = runs.get(task.dagRunId)!;
      if (backfillId === null || !occupyingTaskStates.has(task.state)) continue;
      const spec = this.world.specOf(dagVersionId).tasks.find((each) =>
        each.taskId === task.taskId
      );
      if (!spec || task.state === "cancelling") continue;
      const key = JSON.stringify([backfillId, spec.pool]);
      const { slots, tasks } = used.get(key) ?? { slots: 0, tasks: 0 };
      used.set(key, { slots: slots + spec.poolSlots, tasks: tasks + 1 });
    }
    for (const [key, { slots, tasks }] of used) {
      const [id, pool] = JSON.parse(key) as [string, string];
      const { share } = this.#largest.get(id)!;
      const max = shareOf(this.world.pools.get(pool)!, share);
      if (tasks > 1 && slots > max) {
        throw new Violation(`Backfill ${id} may take ${max} slots of ${pool}, it has ${slots}`);
      }
    }
    for (const [date, made] of this.#made) {
      if (made > this.#asked.get(date)!) {
        throw new Violation(`The date ${date.logicalDate.toISOString()} was run ${made} times`);
      }
    }
  }

  /** Every date has its run, or the reason why not; nothing of a backfill is left over. */
  atEnd(): void {
    const runs = new Map(this.world.store.runs().map((run) => [run.id, run]));
    const byDate = new Set<string>();
    for (const { dagId, logicalDate } of runs.values()) {
      if (!logicalDate) continue;
      const key = `${dagId} ${logicalDate.toISOString()}`;
      if (byDate.has(key)) throw new Violation(`Two runs of ${key}`);
      byDate.add(key);
    }
    for (const { id, endReason, dates, dagId } of this.#backfills.all()) {
      if (endReason === null) throw new Violation(`Backfill ${id} did not end`);
      for (const date of dates) {
        const at = date.logicalDate.toISOString();
        if (isPlanned(date)) throw new Violation(`Backfill ${id} lost its date ${at}`);
        if (date.reason !== null) continue;
        const run = runs.get(date.dagRunId!);
        if (run?.dagId !== dagId || run.logicalDate!.getTime() !== date.logicalDate.getTime()) {
          throw new Violation(`Backfill ${id} has another run for ${at}`);
        }
        if (!isRunFinished(run.state)) throw new Violation(`Backfill ${id} left ${at} unfinished`);
      }
    }
  }
}
