/**
 * @module One simulated history: real schedulers and the real store's rules on virtual time, with
 * crashes, pauses, lost and repeated messages, jumps of the clock and people who change their mind.
 * The same seed gives the same history.
 */
import { type Clock, VirtualClock } from "../../src/base/clock.ts";
import { sha256 } from "../../src/base/hash.ts";
import { seededIds } from "../../src/base/ids.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLogger } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { DagSpec, ScheduleSpec } from "../../src/model/dag_spec.ts";
import type { DagRun } from "../../src/model/rows.ts";
import { handStates } from "../../src/model/task_state.ts";
import { schedulerService } from "../../src/scheduler/loop.ts";
import type { Sql } from "../../src/store/database.ts";
import { pgEngineStore } from "../../src/store/engine_pg.ts";
import { HandOver } from "../../src/store/hand_over.ts";
import { localHintBus } from "../../src/store/hints.ts";
import { type MemoryEngineStore, memoryEngineStore } from "../../src/store/engine_memory.ts";
import type { EngineStore, SchedulableDag } from "../../src/store/port.ts";
import { deadlinesOf } from "../../src/timetable/mod.ts";
import { BackfillPeople } from "./backfill_people.ts";
import { Checkers, Violation } from "./checkers.ts";
import { dataDag, Dice, editDag, makeDag, makeDataSchedule, partitions } from "./dag_maker.ts";
import { DataCheckers } from "./data_checkers.ts";
import { NoticeCheckers } from "./notice_checkers.ts";
import { type FaultRates, Link, noFaults, someFaults } from "./link.ts";
import { checksOf, observed, type Observer } from "./observed.ts";
import { tellOfEvents } from "./outside.ts";
import { TwinStore } from "./twin_store.ts";
import { type History, schedules, starts } from "./history.ts";
import { SimWorker } from "./sim_worker.ts";
import { SimWaits, type WaitsWorld } from "./waits.ts";

const FAULTS_MS = 60_000;
/** Runs of one DAG that go one after the other, each with questions that nobody answers, take long. */
const HEALED_MS = 1_800_000;

/**
 * Run the history of a seed; throws with the seed when something did not hold. `stopAfterMs` is how
 * long runs may take to end once all faults are over. With `sql`, an empty database, every write is made
 * there too and must come to the same.
 */
export async function simulate(
  seed: number,
  { stopAfterMs = HEALED_MS, sql }: { stopAfterMs?: number; sql?: Sql } = {},
): Promise<History> {
  const world = new World(seed, sql);
  try {
    await world.run(stopAfterMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Simulation with seed ${seed} failed at ${world.clock.now().toISOString()}: ${message}\n` +
        `  deno task simulate:histories --seed ${seed} --trace\n` +
        world.trace.slice(-12).join("\n"),
      { cause: error },
    );
  }
  return world.history();
}

class World implements WaitsWorld {
  readonly clock: VirtualClock;
  readonly #start: string;
  readonly dice: Dice;
  readonly trace: string[] = [];
  readonly #faults: Record<string, number> = {};
  readonly store: MemoryEngineStore;
  /** By DAG version. */
  readonly #specs = new Map<string, DagSpec>();
  /** The newest version of each DAG. */
  readonly #versions = new Map<string, string>();
  readonly #checkers: Checkers;
  readonly #data: DataCheckers;
  readonly #notices: NoticeCheckers;
  readonly #waits = new SimWaits(this);
  readonly ids;
  readonly #observer: Observer;
  #observed: EngineStore;
  #schedulers: Link[] = [];
  readonly #handOvers = new Map<Link, HandOver>();
  #workers: Link[] = [];
  #jumpMs = 0;
  #names = 0;
  /** A check that failed inside of a call that swallows errors. */
  #broken: unknown = null;
  rates: FaultRates;
  databaseUntilMs = 0;
  #twin: TwinStore | null = null;
  #backfills: BackfillPeople | null = null;

  constructor(readonly seed: number, sql?: Sql) {
    this.dice = new Dice(seededRandom(seed));
    this.#start = this.dice.pick(starts);
    this.clock = new VirtualClock(this.#start);
    this.ids = seededIds(this.clock, seededRandom(seed + 1));
    this.store = memoryEngineStore({ clock: this.clock, ids: this.ids });
    const pools = new Map([["small", this.dice.int(2, 3)], ["large", this.dice.int(4, 8)]]);
    const withDeferred = new Set(this.dice.some([...pools.keys()], 0.5));
    for (const [name, slots] of pools) {
      this.store.setPool({ name, slots, includeDeferred: withDeferred.has(name) });
    }
    this.#checkers = new Checkers(this.store, (id) => this.#specs.get(id)!, pools, withDeferred);
    this.#data = new DataCheckers(
      this.store,
      (id) => this.#specs.get(id)!,
      () => this.clock.now(),
    );
    this.#notices = new NoticeCheckers(
      this.store,
      (id) => this.#specs.get(id)!,
      () => this.clock.now(),
    );
    const observer = this.#observer = {
      checkers: this.#checkers,
      data: this.#data,
      notices: this.#notices,
      waits: this.#waits,
      count: (fault) => this.count(fault),
      onMoves: (text) =>
        this.trace.push(`${this.clock.monotonicMs() - Date.parse(this.#start)} ${text}`),
      onBroken: (error) => this.#broken ??= error,
      also: () => this.#backfills?.check(),
    };
    this.#observed = observed(this.store, observer);
    if (sql) this.#observed = this.#withTwin(sql);
    this.rates = someFaults(this.dice);
    this.#backfills = this.#peopleWithBackfills(pools);
  }

  #peopleWithBackfills(pools: ReadonlyMap<string, number>): BackfillPeople {
    return new BackfillPeople({
      ...{ store: this.store, clock: this.clock, ids: this.ids, pools },
      dice: new Dice(seededRandom(this.seed + 2)),
      twin: this.#twin,
      dagIds: ["dag0", "dag1", "dag2"],
      start: new Date(this.#start),
      newest: (dagId) => {
        const dagVersionId = this.#versions.get(dagId)!;
        return { dagVersionId, spec: this.#specs.get(dagVersionId)! };
      },
      specOf: (id) => this.#specs.get(id)!,
      isFaulty: () => this.rates !== noFaults,
      checked: checksOf(this.#observer).checked,
      cleared: (dagRunId) => this.#checkers.cleared(dagRunId),
      cancelled: (run) => this.#checkers.cancelled(run),
      count: (fault) => this.count(fault),
    });
  }

  #withTwin(sql: Sql): EngineStore {
    const pg = pgEngineStore({ sql, hints: localHintBus(), ids: this.ids, clock: this.clock });
    this.#twin = new TwinStore(this.store, pg, sql, (error) => this.#broken ??= error);
    return this.#twin.view(this.#observed);
  }

  count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    this.trace.push(`${this.clock.monotonicMs() - Date.parse(this.#start)} fault ${fault}`);
  }

  observed(): EngineStore {
    return this.#observed;
  }

  history(): History {
    return {
      seed: this.seed,
      hash: sha256(this.trace.join("\n")),
      runs: this.store.runs().length,
      attempts: this.store.attempts().length,
      faults: this.#faults,
      trace: this.trace,
    };
  }

  async run(stopAfterMs: number) {
    for (let i = 0; i < 3; i++) {
      this.#addDag(`dag${i}`, i === 0 ? this.dice.pick(schedules) : null);
    }
    this.#addDag(dataDag, makeDataSchedule(this.dice));
    if (this.#start !== starts[0]) this.count("clocks change for summer or winter");
    for (let i = 0; i < 2; i++) {
      this.#startScheduler();
      this.#startWorker();
    }
    void this.#mishaps();
    void this.#people();
    void tellOfEvents(this, this.#observed, () => this.#trigger(dataDag));
    this.#waits.start();
    this.#backfills?.start();
    await this.#until(FAULTS_MS, () => false);
    this.#heal();
    await this.#until(stopAfterMs, () => this.#isOver());
    this.#checkers.atEnd();
    this.#notices.atEnd();
    this.#data.atEnd(this.#specs.get(this.#versions.get(dataDag)!)!);
    this.#backfills?.atEnd();
    if (this.#isDataDue()) throw new Violation("Events wait for a run that is due and is not made");
    if (this.store.runs().some((run) => run.runType === "asset_triggered")) {
      this.count("run by datasets");
    }
    await this.#twin?.compare();
  }

  #isDataDue(): boolean {
    return this.#data.isDue(this.#specs.get(this.#versions.get(dataDag)!)!);
  }

  #isOver(): boolean {
    if (this.#isDataDue() || this.#backfills?.isOver() === false) return false;
    return this.store.runs().every((run) => run.state === "success" || run.state === "failed");
  }

  /** Let time pass, one sleeper after the other. */
  async #until(ms: number, isOver: () => boolean) {
    const endMs = this.clock.monotonicMs() + ms;
    await this.#settle();
    while (!isOver()) {
      const next = this.clock.nextWakeAt();
      if (!next || next.getTime() > endMs) return this.clock.advanceTo(new Date(endMs));
      this.clock.advanceTo(next);
      await this.#settle();
      if (this.#broken) throw this.#broken;
    }
  }

  /** Let everything that waits for nothing but promises, or for PostgreSQL, go on. */
  async #settle() {
    for (;;) {
      for (let i = 0; i < 50; i++) await null;
      if (!this.#twin?.isBusy) return;
      await this.#twin.idle();
    }
  }

  #heal() {
    this.rates = noFaults;
    this.databaseUntilMs = 0;
    void this.#unpause();
    this.#backfills?.heal();
    this.store.setStale("dag0", true);
    if (!this.#schedulers.some((link) => link.isAlive)) this.#startScheduler();
    if (!this.#workers.some((link) => link.isAlive)) this.#startWorker();
    this.#waits.heal();
    this.trace.push("healed");
  }

  /** Somebody looks after DAGs that were paused for their failures. */
  async #unpause() {
    while (!this.#isOver()) {
      for (const { dagId, isPaused } of await this.store.loadDags()) {
        // A DAG that is not paused is left alone: a change of it would have more looked at anew.
        if (isPaused) this.store.setPaused(dagId, false);
      }
      await this.clock.sleep(10_000);
    }
  }

  #addDag(dagId: string, schedule: ScheduleSpec | null) {
    const spec = makeDag(this.dice, dagId, {
      schedule,
      start: this.#start,
      // Pauses by people reach the memory store alone.
      canPause: this.#twin === null,
    });
    this.#putVersion(spec, { lastInterval: null, nextRunAt: null, isPaused: false });
  }

  #putVersion(
    spec: DagSpec,
    kept: Pick<SchedulableDag, "lastInterval" | "nextRunAt" | "isPaused">,
  ) {
    const { dagId } = spec;
    const id = this.ids.uuid();
    this.#specs.set(id, spec);
    this.#versions.set(dagId, id);
    this.store.addDag(
      { dagId, isStale: false, dagVersionId: id, spec, ...kept },
      { id, dagId, versionNumber: 1, spec, bundleHash: "", entry: "" },
    );
    this.#twin?.putVersion(spec, id, this.#specs.size);
  }

  /** Somebody saves another version of a DAG's file while its runs are under way. */
  async #edit(dagId: string) {
    const [{ lastInterval, nextRunAt, isPaused }] = await this.store.loadDags([dagId]);
    const spec = editDag(this.dice, this.#specs.get(this.#versions.get(dagId)!)!);
    this.#putVersion(spec, { lastInterval, nextRunAt, isPaused });
    this.count("DAG edited");
  }

  /** The wall clock of a process: off by a constant, and jumping with the machine's. */
  wallClock(): Clock {
    const skewMs = this.dice.pick([0, 0, -3_000, 3_000]);
    return {
      now: () => new Date(this.clock.now().getTime() + skewMs + this.#jumpMs),
      monotonicMs: () => this.clock.monotonicMs(),
      sleep: (ms, options) => this.clock.sleep(ms, options),
    };
  }

  #startScheduler() {
    const link = new Link(this, this.#observed);
    const handOver = new HandOver();
    this.#schedulers.push(link);
    this.#handOvers.set(link, handOver);
    void schedulerService({
      store: link.view(),
      clock: this.wallClock(),
      ids: this.ids,
      random: this.dice.random,
      log: silentLogger,
      holder: `s${this.#names++}`,
      handOver,
    }).start();
  }

  #startWorker() {
    const link = new Link(this, this.#observed);
    this.#workers.push(link);
    const wall = this.wallClock();
    const id = `w${this.#names++}`;
    new SimWorker({
      id,
      link,
      dice: this.dice,
      specOf: (id) => this.#specs.get(id)!,
      now: () => wall.now(),
      handOver: () => {
        const alive = this.#schedulers.filter((each) => each.isAlive);
        return alive.length > 0 ? this.#handOvers.get(this.dice.pick(alive))! : null;
      },
    }).start();
  }

  async #mishaps() {
    while (this.rates !== noFaults) {
      await this.clock.sleep(this.dice.int(500, 9_000));
      if (this.rates === noFaults) return;
      const isScheduler = this.dice.chance(0.5);
      const link = this.dice.pick(
        (isScheduler ? this.#schedulers : this.#workers).filter((each) => each.isAlive),
      );
      const who = isScheduler ? "scheduler" : "worker";
      if (this.dice.chance(0.15)) {
        this.count("clock jumped");
        this.#jumpMs += this.dice.int(-20_000, 20_000);
      } else if (this.dice.chance(0.1)) {
        this.count("database away");
        this.databaseUntilMs = this.clock.monotonicMs() + this.dice.int(200, 15_000);
      } else if (link && this.dice.chance(0.2)) {
        this.count(`${who} cut off`);
        link.cutOff(
          this.dice.pick([500, 3_000, limits.leaseMs * 2, limits.heartbeatTimeoutMs * 2]),
        );
      } else if (!link || this.dice.chance(0.4)) {
        link?.kill();
        this.count(`${who} killed`);
        await this.clock.sleep(this.dice.int(0, 8_000));
        if (isScheduler) this.#startScheduler();
        else this.#startWorker();
      } else {
        this.count(`${who} paused`);
        link.pause(this.dice.pick([500, 3_000, limits.leaseMs * 2, limits.heartbeatTimeoutMs * 2]));
      }
    }
  }

  /** Trigger, cancel, clear, pause: through a store that answers. */
  async #people() {
    for (let i = 0; i < 3; i++) await this.#trigger();
    while (this.rates !== noFaults) {
      await this.clock.sleep(this.dice.int(1_000, 8_000));
      if (this.rates === noFaults) return;
      const run = this.dice.pick(this.store.runs());
      const action = this.dice.int(0, 14);
      if (action < 4) await this.#trigger();
      else if (action < 6) await this.#cancel(run);
      else if (action < 8) await this.#clear(run);
      else if (action === 10) await this.#edit(run.dagId);
      else if (action === 11) await this.#cancelTask(run);
      else if (action === 14) await this.#drain();
      else if (action > 11) await this.#set(run);
      else this.store.setPaused(run.dagId, this.dice.chance(0.5));
    }
  }

  async #trigger(dagId = this.dice.pick([...this.#versions.keys()])) {
    const dagVersionId = this.#versions.get(dagId)!;
    const id = this.ids.uuid();
    const now = this.clock.now();
    const made = { logicalDate: null, runAfter: now };
    await this.#observed.createRun({
      ...deadlinesOf(this.#specs.get(dagVersionId)!, made, {
        now,
        newId: () => this.ids.uuid(),
      }),
      id,
      dagId,
      runId: `manual__${id}`,
      runType: "manual",
      logicalDate: null,
      dataIntervalStart: null,
      dataIntervalEnd: null,
      runAfter: this.clock.now(),
      conf: {},
      dagVersionId,
      backfillId: null,
      traceParent: null,
      tasks: this.#specs.get(dagVersionId)!.tasks.map(({ taskId, retry }) => ({
        id: this.ids.uuid(),
        taskId,
        maxTries: retry.retries,
      })),
      // By hand, as it is: what waits for some partitions goes to this run.
      ...(dagId === dataDag
        ? { takes: { partitions: this.dice.some<string>(partitions, 0.5), isRequired: false } }
        : {}),
    });
  }

  async #cancel(run: DagRun) {
    const { tasks } = this.#specs.get(run.dagVersionId)!;
    const spared = tasks.filter((task) => task.isTeardown).map((task) => task.taskId);
    this.#checkers.cancelled(run);
    await this.#observed.cancelRun(run.id, { now: this.clock.now(), by: "someone", spared });
  }

  async #cancelTask(run: DagRun) {
    const tasks = [...this.store.tasks()].filter((task) => task.dagRunId === run.id);
    this.#checkers.taskCancelled(run);
    await this.#observed.cancelTasks([this.dice.pick(tasks).id], this.clock.now(), "someone");
  }

  /** As it was, or on the newest version. */
  async #clear({ id: dagRunId, dagId, dagVersionId: asItWas }: DagRun) {
    // PostgreSQL gives tasks that only the newest version has ids of its own.
    const isAsItWas = this.dice.chance(0.5) || this.#twin !== null;
    const dagVersionId = isAsItWas ? asItWas : this.#versions.get(dagId)!;
    const tasks = [...this.store.tasks()].filter((task) => task.dagRunId === dagRunId);
    const names = this.dice.some([...new Set(tasks.map((task) => task.taskId))], 0.6);
    const chosen = tasks.filter((task) => names.includes(task.taskId)).map((task) => task.id);
    this.#checkers.cleared(dagRunId);
    const spec = this.#specs.get(dagVersionId)!;
    await this.#observed.clearTasks(dagRunId, chosen, { spec, dagVersionId }, this.clock.now());
  }

  /** Somebody drains for a while: nothing may start in it. */
  async #drain() {
    const drain = { at: this.clock.now(), by: "someone", note: null };
    await this.#observed.setDrain(drain);
    this.count("drained");
    const known = new Set(this.store.attempts().map((attempt) => attempt.id));
    await this.clock.sleep(this.dice.int(500, 6_000));
    if (this.store.attempts().some((attempt) => !known.has(attempt.id))) {
      this.#broken ??= new Error("An attempt was made while somebody drained");
    }
    await this.#observed.setDrain(null);
  }

  /** Somebody says how some tasks of a run are to end, or that others start whatever came before. */
  async #set({ id: dagRunId, dagVersionId }: DagRun) {
    const tasks = [...this.store.tasks()].filter((task) => task.dagRunId === dagRunId);
    const ids = this.dice.some(tasks.map((task) => task.id), 0.4);
    const rest = tasks.filter((task) => !ids.includes(task.id)).map((task) => task.id);
    const clears = [{
      dagRunId,
      ids: this.dice.some(rest, 0.2),
      spec: this.#specs.get(dagVersionId)!,
      force: this.dice.chance(0.3),
    }];
    const set = { ids, to: this.dice.pick(handStates), by: "someone" };
    this.#checkers.cleared(dagRunId);
    this.count("state set by hand");
    await this.#observed.setTasks(
      this.dice.chance(0.5) ? set : { ...set, clears },
      this.clock.now(),
    );
  }
}
