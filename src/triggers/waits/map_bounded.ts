/** @module Many things at once, but not all of them. */

/** Results in the order of the items, with at most `atOnce` of them under way. */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  make: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await make(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
