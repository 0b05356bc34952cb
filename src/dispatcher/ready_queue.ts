/**
 * @module Tasks that may start, in the order in which they will, and the slots that limit them.
 *
 * Pools are independent of each other. Within a pool a higher priority goes first; within a priority
 * flows take turns, and within a flow its runs take turns, weighed by the slots they take (deficit
 * round robin). A flow is a DAG's live runs or one of its backfills, so that a backfill of a thousand
 * runs has no more turns than the day's one run. A priority that higher ones have passed over for
 * {@link PASSED_OVER_SLOTS_MAX} slots has the next turn: nothing starves, whatever its priority.
 * A DAG at its limit, or paused, is set aside at no cost until that changes, and so is a task with as
 * many instances at work as it may have ({@link Cap}). A task whose turn it is but which needs more
 * slots than are free holds its pool until they are: otherwise small ones would pass it for ever.
 */

/** What a task needs in order to start; one object for all instances of a task in a run. */
export interface Demand {
  readonly pool: string;
  readonly slots: number;
  readonly priority: number;
  readonly dagId: string;
  /** The backfill that the run belongs to; left out for a live run. */
  readonly backfillId?: string | null;
  /** Any value that is the same for the tasks of one run and for no others. */
  readonly run: unknown;
  /** Limits of its own, beside those of pool and DAG. */
  readonly caps: readonly Cap[];
}

/** Something that can wait for its turn. `place` belongs to the queue; set it to null at first. */
export interface Waiting {
  readonly demand: Demand;
  place: Place | null;
}

/** Where an item waits. */
interface Place {
  leave(item: Waiting): void;
}

/**
 * A limit that some demands share; what waits for it is set aside at no cost. It counts instances, or
 * the slots that they take; one that takes more than there are at all has them to itself.
 */
export class Cap implements Place {
  used = 0;
  readonly #parked = new Set<Waiting>();
  readonly #of: "instances" | "slots";
  #isUnparking = false;

  constructor(public max: number, of: "instances" | "slots" = "instances") {
    this.#of = of;
  }

  /** What a demand takes of it. */
  costOf({ slots }: Demand): number {
    return this.#of === "slots" ? slots : 1;
  }

  hasRoomFor(demand: Demand): boolean {
    return this.used === 0 || this.used + this.costOf(demand) <= this.max;
  }

  /** Must something that comes now wait? Also behind those that do: small ones would pass large ones. */
  mustWait(demand: Demand): boolean {
    return !this.hasRoomFor(demand) || this.#parked.size > 0 && !this.#isUnparking;
  }

  /** Does something wait for it with nothing at work that could make room? */
  get isStalled(): boolean {
    return this.used === 0 && this.#parked.size > 0;
  }

  park(item: Waiting): void {
    item.place = this;
    this.#parked.add(item);
  }

  leave(item: Waiting): void {
    this.#parked.delete(item);
  }

  /** Let as many as there is room for wait for their turn again, by `add`. */
  unpark(add: (item: Waiting) => void): void {
    let room = this.max - this.used;
    let isFree = this.used === 0;
    this.#isUnparking = true;
    for (const item of this.#parked) {
      const cost = this.costOf(item.demand);
      if (cost > room && !isFree) break;
      this.#parked.delete(item);
      add(item);
      // One that came to wait for another limit leaves the room to the next.
      if (item.place instanceof Cap) continue;
      room -= cost;
      isFree = false;
    }
    this.#isUnparking = false;
  }
}

/** Visits after which even the largest task has its turn. */
const VISITS_MAX = 64;
/** Slots that higher priorities take in a pool before a lower one that could start has a turn. */
export const PASSED_OVER_SLOTS_MAX = 64;

/** See the module. Deterministic: the same calls give the same picks. */
export class ReadyQueue {
  readonly #pools = new Map<string, PoolSlots>();
  readonly #dags = new Map<string, DagSlots>();
  readonly #stalled = new Set<Cap>();

  /**
   * Set a pool's slots: -1 without limit, null when there is no such pool (nothing starts). With
   * `includeDeferred`, what waits for a trigger keeps its slots of it.
   */
  setPool(name: string, slots: number | null, includeDeferred = false): void {
    const pool = this.#pool(name);
    pool.includeDeferred = includeDeferred;
    if (pool.slots === slots) return;
    pool.slots = slots;
    for (const item of pool.items()) {
      this.remove(item);
      this.add(item);
    }
  }

  /** Let a pool give no slots out, or give them out again; what has some keeps them. */
  closePool(name: string, isClosed: boolean): void {
    this.#pool(name).isClosed = isClosed;
  }

  /** Set a DAG's limits. */
  setDag(dagId: string, limits: { maxActiveTasks: number; isPaused: boolean }): void {
    const dag = this.#dag(dagId);
    Object.assign(dag, limits);
    dag.unpark();
  }

  /** Change a limit; what waited for it may have its turn. */
  setCap(cap: Cap, max: number): void {
    if (cap.max === max) return;
    cap.max = max;
    cap.unpark((item) => this.#place(item));
  }

  /** Take slots for something that runs. */
  occupy(demand: Demand): void {
    this.#pool(demand.pool).used += demand.slots;
    this.#dag(demand.dagId).used++;
    for (const cap of demand.caps) cap.used += cap.costOf(demand);
  }

  /** Give back what {@link occupy} took. */
  release(demand: Demand): void {
    const dag = this.#dag(demand.dagId);
    this.#pool(demand.pool).used -= demand.slots;
    dag.used--;
    dag.unpark();
    for (const cap of demand.caps) cap.used -= cap.costOf(demand);
    for (const cap of demand.caps) cap.unpark((item) => this.#place(item));
  }

  /** Note that something waits for a trigger. */
  defer({ pool, slots }: Demand): void {
    this.#pool(pool).deferred += slots;
  }

  /** Note that it no longer does. */
  resume({ pool, slots }: Demand): void {
    this.#pool(pool).deferred -= slots;
  }

  /** Let an item wait for its turn; nothing when it waits already. */
  add(item: Waiting): void {
    if (item.place) return;
    this.#pool(item.demand.pool).waiting++;
    this.#place(item);
  }

  #place(item: Waiting) {
    const pool = this.#pool(item.demand.pool);
    const full = item.demand.caps.find((cap) => cap.mustWait(item.demand));
    if (full) {
      full.park(item);
      this.#mayStall(item);
    } else if (pool.slots !== null && pool.slots >= 0 && item.demand.slots > pool.slots) {
      pool.oversized.add(item);
      item.place = pool;
    } else {
      this.#lane(pool, item.demand).add(item);
    }
  }

  /** Let an item wait no longer; nothing when it does not wait. */
  remove(item: Waiting): void {
    const place = item.place;
    if (!place) return;
    item.place = null;
    const pool = this.#pool(item.demand.pool);
    pool.waiting--;
    pool.oversized.delete(item);
    place.leave(item);
    this.#mayStall(item);
  }

  /**
   * An item that was let go on for the room in a limit has not taken it: others may wait for that
   * limit with nothing at work that would wake them.
   */
  #mayStall({ demand }: Waiting) {
    for (const cap of demand.caps) if (cap.isStalled) this.#stalled.add(cap);
  }

  #wakeStalled() {
    for (const cap of this.#stalled) {
      this.#stalled.delete(cap);
      if (cap.isStalled) cap.unpark((item) => this.#place(item));
    }
  }

  /**
   * Give the turn to up to `limit` items; returns how many had it. `take` must {@link remove} the
   * item and {@link occupy} what it needs.
   */
  pick(limit: number, take: (item: Waiting) => void): number {
    let picked = 0;
    this.#wakeStalled();
    for (const pool of [...this.#pools.values()]) {
      if (picked >= limit) break;
      if (pool.waiting === 0) continue;
      picked += pickFromPool(pool, limit - picked, take, (item) => this.#mayStall(item));
      // The pool that was served goes last, should the limit not do for all of them.
      this.#pools.delete(pool.name);
      this.#pools.set(pool.name, pool);
    }
    return picked;
  }

  /** Figures for health and metrics; `oversized`: waiting for more slots than the pool has. */
  pools(): {
    name: string;
    slots: number | null;
    used: number;
    waiting: number;
    oversized: number;
  }[] {
    return [...this.#pools.values()].map(({ name, slots, taken, waiting, oversized }) => ({
      name,
      slots,
      used: taken,
      waiting,
      oversized: oversized.size,
    }));
  }

  #pool(name: string): PoolSlots {
    let pool = this.#pools.get(name);
    if (!pool) this.#pools.set(name, pool = new PoolSlots(name));
    return pool;
  }

  #dag(dagId: string): DagSlots {
    let dag = this.#dags.get(dagId);
    if (!dag) this.#dags.set(dagId, dag = new DagSlots());
    return dag;
  }

  #lane(pool: PoolSlots, { priority, dagId, backfillId, run }: Demand): Lane {
    const level = pool.level(priority);
    const flow = JSON.stringify([dagId, backfillId ?? null]);
    let turn = level.turns.get(flow);
    if (!turn) {
      turn = { level, flow, dag: this.#dag(dagId), lanes: new Map() };
      level.turns.set(flow, turn);
      level.ring.add(turn);
    }
    let lane = turn.lanes.get(run);
    if (!lane) turn.lanes.set(run, lane = new Lane(turn, run));
    return lane;
  }
}

class PoolSlots implements Place {
  slots: number | null = null;
  isClosed = false;
  used = 0;
  /** Slots of what waits for a trigger. */
  deferred = 0;
  includeDeferred = false;
  waiting = 0;
  /** Items that need more slots than there are at all; they must not hold up the others. */
  readonly oversized = new Set<Waiting>();
  /** Highest priority first. */
  readonly levels: Level[] = [];

  constructor(readonly name: string) {}

  /** Slots that are not free. */
  get taken(): number {
    return this.used + (this.includeDeferred ? this.deferred : 0);
  }

  leave() {}

  level(priority: number): Level {
    let at = this.levels.findIndex((level) => level.priority <= priority);
    if (at === -1) at = this.levels.length;
    if (this.levels[at]?.priority !== priority) {
      const level = { pool: this, priority, turns: new Map(), ring: new Set<FlowTurn>() };
      this.levels.splice(at, 0, { ...level, passedOver: 0 });
    }
    return this.levels[at];
  }

  /** Whose turn it is: the highest priority that can start, or one passed over for too long. */
  nextLevel(): Level | undefined {
    let next: Level | undefined;
    for (const level of this.levels) {
      if (level.ring.size === 0) continue;
      const isDue = level.passedOver >= PASSED_OVER_SLOTS_MAX;
      if (!next || isDue && level.passedOver > next.passedOver) next = level;
    }
    return next;
  }

  /** Count slots that went to a level against those below it that could have started. */
  passOver(served: Level, slots: number): void {
    served.passedOver = 0;
    for (const level of this.levels) {
      if (level.priority < served.priority && level.ring.size > 0) level.passedOver += slots;
    }
  }

  items(): Waiting[] {
    const lanes = this.levels.flatMap((level) =>
      [...level.turns.values()].flatMap((turn) => [...turn.lanes.values()])
    );
    return [...this.oversized, ...lanes.flatMap((lane) => lane.waiting())];
  }
}

class DagSlots {
  maxActiveTasks = Infinity;
  isPaused = false;
  used = 0;
  readonly #parked = new Set<FlowTurn>();

  isBlocked(): boolean {
    return this.isPaused || this.used >= this.maxActiveTasks;
  }

  park(turn: FlowTurn) {
    turn.level.ring.delete(turn);
    this.#parked.add(turn);
  }

  unpark() {
    if (this.#parked.size === 0 || this.isBlocked()) return;
    for (const turn of this.#parked) turn.level.ring.add(turn);
    this.#parked.clear();
  }

  forget(turn: FlowTurn) {
    this.#parked.delete(turn);
  }
}

/** Items of one priority in one pool; `ring` has the flows that can have a turn, in order. */
interface Level {
  readonly pool: PoolSlots;
  readonly priority: number;
  readonly turns: Map<string, FlowTurn>;
  readonly ring: Set<FlowTurn>;
  /** Slots that higher priorities took since this one's last turn. */
  passedOver: number;
}

/** One flow's part of a level: its runs, in the order of their turns. */
interface FlowTurn {
  readonly level: Level;
  readonly flow: string;
  readonly dag: DagSlots;
  readonly lanes: Map<unknown, Lane>;
}

/** One run's part of a level, first in, first out. */
class Lane implements Place {
  deficit = 0;
  #items: Waiting[] = [];
  #head = 0;
  #size = 0;

  constructor(readonly turn: FlowTurn, readonly run: unknown) {}

  add(item: Waiting) {
    this.#items.push(item);
    this.#size++;
    item.place = this;
  }

  /** Items that have left stay in the list until their turn. */
  head(): Waiting {
    while (this.#items[this.#head].place !== this) this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return this.#items[this.#head];
  }

  leave() {
    if (--this.#size > 0) return;
    const { level, lanes, flow, dag } = this.turn;
    lanes.delete(this.run);
    if (lanes.size > 0) return;
    level.turns.delete(flow);
    level.ring.delete(this.turn);
    dag.forget(this.turn);
    if (level.turns.size === 0) level.pool.levels.splice(level.pool.levels.indexOf(level), 1);
  }

  waiting(): Waiting[] {
    return [...new Set(this.#items.slice(this.#head).filter((item) => item.place === this))];
  }
}

function pickFromPool(
  pool: PoolSlots,
  limit: number,
  take: (item: Waiting) => void,
  onParked: (item: Waiting) => void,
): number {
  if (pool.slots === null || pool.isClosed) return 0;
  let picked = 0;
  while (picked < limit) {
    const level = pool.nextLevel();
    if (!level) break;
    const turn = level.ring.values().next().value!;
    if (turn.dag.isBlocked()) {
      turn.dag.park(turn);
      continue;
    }
    const lane = turn.lanes.values().next().value!;
    const item = lane.head();
    const full = item.demand.caps.find((cap) => !cap.hasRoomFor(item.demand));
    if (full) {
      full.park(item);
      lane.leave();
      onParked(item);
      continue;
    }
    const { slots } = item.demand;
    const cost = Math.min(slots, VISITS_MAX);
    if (lane.deficit + 1 < cost) {
      lane.deficit++;
    } else if (pool.slots >= 0 && pool.taken + slots > pool.slots) {
      break;
    } else {
      lane.deficit += 1 - cost;
      picked++;
      pool.passOver(level, slots);
      take(item);
    }
    rotate(turn, lane);
  }
  return picked;
}

/** The lane goes behind the flow's other lanes, the flow behind the other flows. */
function rotate(turn: FlowTurn, lane: Lane) {
  if (turn.lanes.size > 1 && turn.lanes.delete(lane.run)) turn.lanes.set(lane.run, lane);
  if (turn.level.ring.size > 1 && turn.level.ring.delete(turn)) turn.level.ring.add(turn);
}
