/** @module The waits of one triggers process, found again by what may end them. */
import { Heap } from "../../base/heap.ts";
import type { TriggerKind, TriggerSpec } from "../../model/trigger.ts";
import type { StoredTrigger, Trigger } from "../../store/port.ts";

type Kind<K extends TriggerKind> = Extract<TriggerSpec, { kind: K }>;

/** One trigger that this process has claimed. */
export interface Wait {
  readonly trigger: Trigger;
  /** Of a run or task: the run, once it is known. */
  dagRunId: string | null;
  /** It fired, or it is nobody's business any more. */
  isOver: boolean;
}

/** See the module. */
export class Waits {
  readonly #all = new Map<string, Wait>();
  readonly #timed = new Heap<Wait>();
  readonly #polled = new Heap<Wait>();
  readonly #byDataset = new Map<string, Set<Wait>>();
  readonly #byRun = new Map<string, Set<Wait>>();
  readonly #counts = new Map<TriggerKind, number>();
  /** Waits for what the store knows, to be looked at. */
  readonly dirty = new Set<Wait>();

  get size(): number {
    return this.#all.size;
  }

  /** How many of each kind. */
  get counts(): ReadonlyMap<TriggerKind, number> {
    return this.#counts;
  }

  /** When the next one is due by the clock; Infinity: none is. */
  get nextDueMs(): number {
    return Math.min(this.#timed.leastKey, this.#polled.leastKey);
  }

  /** Take a trigger in; in place of an older one of the same instance. */
  add(trigger: Trigger, nowMs: number): void {
    this.remove(trigger.taskInstanceId);
    const wait: Wait = { trigger, dagRunId: null, isOver: false };
    const { spec } = trigger;
    this.#all.set(trigger.taskInstanceId, wait);
    this.#counts.set(spec.kind, (this.#counts.get(spec.kind) ?? 0) + 1);
    if (spec.kind === "time") this.#timed.push(Date.parse(spec.at), wait);
    else if (spec.kind === "file") this.#polled.push(nowMs, wait);
    else this.dirty.add(wait);
    if (spec.kind === "dataset") addTo(this.#byDataset, spec.dataset, wait);
  }

  /** Remember the run that a wait is for. */
  tieTo(wait: Wait, dagRunId: string): void {
    if (wait.dagRunId === dagRunId || wait.isOver) return;
    this.#untie(wait);
    wait.dagRunId = dagRunId;
    addTo(this.#byRun, dagRunId, wait);
  }

  /** Forget the wait of an instance; if `attemptId` is given, only that attempt's. */
  remove(taskInstanceId: string, attemptId?: string): void {
    const wait = this.#all.get(taskInstanceId);
    if (!wait || attemptId !== undefined && wait.trigger.attemptId !== attemptId) return;
    wait.isOver = true;
    this.#all.delete(taskInstanceId);
    this.dirty.delete(wait);
    const { spec } = wait.trigger;
    this.#counts.set(spec.kind, this.#counts.get(spec.kind)! - 1);
    if (spec.kind === "dataset") takeFrom(this.#byDataset, spec.dataset, wait);
    this.#untie(wait);
  }

  /** Waits whose instant has come. */
  takeDue(nowMs: number): Wait[] {
    return takeUntil(this.#timed, nowMs);
  }

  /** Waits to look at now that only looking tells of; give each back with {@link lookAgain}. */
  takePolled(nowMs: number): (Wait & { trigger: { spec: Kind<"file"> } })[] {
    return takeUntil(this.#polled, nowMs) as (Wait & { trigger: { spec: Kind<"file"> } })[];
  }

  /** Look at a wait again at an instant. */
  lookAgain(wait: Wait, atMs: number): void {
    if (!wait.isOver) this.#polled.push(atMs, wait);
  }

  /** Fire a due wait again: the store could not be told. */
  dueAgain(wait: Wait, atMs: number): void {
    if (!wait.isOver) this.#timed.push(atMs, wait);
  }

  /** Something happened to a dataset or a run: whoever waits for it is to be looked at. */
  stir(what: "dataset" | "run", id: string): void {
    const index = what === "dataset" ? this.#byDataset : this.#byRun;
    for (const wait of index.get(id) ?? []) this.dirty.add(wait);
  }

  /** Have all looked at for which a hint may have been lost. */
  stirAll(): void {
    for (const wait of this.#all.values()) if (isStored(wait)) this.dirty.add(wait);
  }

  /** Every wait. */
  all(): IterableIterator<Wait> {
    return this.#all.values();
  }

  #untie(wait: Wait) {
    if (wait.dagRunId !== null) takeFrom(this.#byRun, wait.dagRunId, wait);
    wait.dagRunId = null;
  }
}

/** Is it a wait for what the store knows? */
export function isStored(wait: Wait): wait is Wait & { trigger: { spec: StoredTrigger } } {
  const { kind } = wait.trigger.spec;
  return kind === "dataset" || kind === "run" || kind === "task";
}

function takeUntil(heap: Heap<Wait>, nowMs: number): Wait[] {
  const due: Wait[] = [];
  while (heap.leastKey <= nowMs) {
    const wait = heap.pop()!;
    if (!wait.isOver) due.push(wait);
  }
  return due;
}

function addTo(index: Map<string, Set<Wait>>, key: string, wait: Wait) {
  const set = index.get(key) ?? new Set();
  index.set(key, set.add(wait));
}

function takeFrom(index: Map<string, Set<Wait>>, key: string, wait: Wait) {
  const set = index.get(key);
  set?.delete(wait);
  if (set?.size === 0) index.delete(key);
}
