/** @module Group commit: what arrives while one write is under way goes together in the next. */

/** Hands items over and gives back their results, in order; one that fails rejects alone. */
export type Grouper<T, R> = (items: readonly T[]) => Promise<PromiseSettledResult<R>[]>;

interface Ticket<T, R> {
  item: T;
  done(result: PromiseSettledResult<R>): void;
}

/**
 * Run `work` on at most `max` items at a time, one call after the other. When a call with several
 * items throws, each is tried alone, so that a bad one harms none of the others; unless
 * `isCommon` says that the error is not about any item.
 */
export function grouper<T, R>(
  work: (items: T[]) => Promise<R[]>,
  { max, isCommon }: { max: number; isCommon: (error: unknown) => boolean },
): Grouper<T, R> {
  let queue: Ticket<T, R>[] = [];
  let isRunning = false;

  async function run() {
    isRunning = true;
    while (queue.length > 0) {
      const tickets = queue.slice(0, max);
      queue = queue.slice(max);
      const results = await settle(work, tickets.map(({ item }) => item), isCommon);
      tickets.forEach((ticket, i) => ticket.done(results[i]));
    }
    isRunning = false;
  }

  return (items) => {
    const all = Promise.all(
      items.map((item) =>
        new Promise<PromiseSettledResult<R>>((done) => queue.push({ item, done }))
      ),
    );
    if (!isRunning) run();
    return all;
  };
}

async function settle<T, R>(
  work: (items: T[]) => Promise<R[]>,
  items: T[],
  isCommon: (error: unknown) => boolean,
): Promise<PromiseSettledResult<R>[]> {
  try {
    return (await work(items)).map((value) => ({ status: "fulfilled", value }));
  } catch (reason) {
    if (items.length === 1 || isCommon(reason)) {
      return items.map(() => ({ status: "rejected", reason }));
    }
    const alone: PromiseSettledResult<R>[] = [];
    for (const item of items) alone.push(...await settle(work, [item], isCommon));
    return alone;
  }
}
