/** @module Products of lists: which items belong to a map index. Pure. */

/**
 * Of list number `position` of a product the index of the item that belongs to `mapIndex`; the last
 * list changes fastest, as with Airflow's `expand(a=…, b=…)`. -1 where a list is empty.
 */
export function itemIndex(mapIndex: number, position: number, lengths: readonly number[]): number {
  const after = productLength(lengths.slice(position + 1));
  const own = lengths[position];
  if (mapIndex < 0 || after === 0 || own === 0) return -1;
  return Math.floor(mapIndex / after) % own;
}

/** How many combinations there are. */
export function productLength(lengths: readonly number[]): number {
  return lengths.reduce((product, length) => product * length, 1);
}
