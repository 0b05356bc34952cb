/** @module Timetables: a schedule as an endless list of intervals, each with the instant it is due. */

/** One interval, and when its run is due. Intervals and due instants ascend together. */
export interface Tick {
  startMs: number;
  endMs: number;
  dueMs: number;
}

/** A schedule that can be asked. */
export interface Timetable {
  /** The first tick whose interval starts at or after an instant. */
  next(fromMs: number): Tick | null;
  /** The last tick that is due at or before an instant. */
  latest(untilMs: number): Tick | null;
}

/** Instants at which a schedule fires. */
export interface Grid {
  /** First instant at or after. */
  next(ms: number): number | null;
  /** Last instant at or before. */
  previous(ms: number): number | null;
}

/** Where the interval after this tick can start. */
export function afterTick({ startMs, endMs }: Pick<Tick, "startMs" | "endMs">): number {
  return endMs > startMs ? endMs : startMs + 1;
}

/** Intervals from each instant to the next, due when they are over. */
export function intervalsOf(grid: Grid): Timetable {
  const between = (startMs: number | null, endMs: number | null) =>
    startMs === null || endMs === null ? null : { startMs, endMs, dueMs: endMs };
  return {
    next(fromMs) {
      const startMs = grid.next(fromMs);
      return between(startMs, startMs === null ? null : grid.next(startMs + 1));
    },
    latest(untilMs) {
      const endMs = grid.previous(untilMs);
      return between(endMs === null ? null : grid.previous(endMs - 1), endMs);
    },
  };
}

/** Empty intervals at each instant. */
export function pointsOf(grid: Grid): Timetable {
  const point = (ms: number | null) => ms === null ? null : { startMs: ms, endMs: ms, dueMs: ms };
  return {
    next: (fromMs) => point(grid.next(fromMs)),
    latest: (untilMs) => point(grid.previous(untilMs)),
  };
}

/** The instants of a list, in ascending order. */
export function listed(instants: readonly number[]): Grid {
  return {
    next: (ms) => instants.find((at) => at >= ms) ?? null,
    previous: (ms) => instants.findLast((at) => at <= ms) ?? null,
  };
}

/** An instant of any of the grids. */
export function anyOf(grids: readonly Grid[]): Grid {
  const given = (found: (number | null)[]) => found.filter((at) => at !== null);
  return {
    next: (ms) => given(grids.map((grid) => grid.next(ms))).sort((a, b) => a - b)[0] ?? null,
    previous: (ms) =>
      given(grids.map((grid) => grid.previous(ms))).sort((a, b) => b - a)[0] ?? null,
  };
}

/** Instants to look at before schedules are said never to meet. */
const MEETINGS_MAX = 20_000;

/** An instant of all of the grids. */
export function allOf(grids: readonly Grid[]): Grid {
  return {
    next: (ms) => meeting(ms, (at) => grids.map((grid) => grid.next(at)), Math.max),
    previous: (ms) => meeting(ms, (at) => grids.map((grid) => grid.previous(at)), Math.min),
  };
}

function meeting(
  fromMs: number,
  ask: (ms: number) => (number | null)[],
  farthest: (...all: number[]) => number,
): number | null {
  let at = fromMs;
  for (let i = 0; i < MEETINGS_MAX; i++) {
    const found = ask(at);
    if (found.some((one) => one === null)) return null;
    const all = found as number[];
    if (all.every((one) => one === all[0])) return all[0];
    at = farthest(...all);
  }
  return null;
}
