/** @module Columns, or pairs of them, that tell every row of a table from the others. */
import type { TaskContext } from "../../../src/sdk/context.ts";
import { ident } from "../../table/sql.ts";

/** Columns that are looked at for pairs, the most telling ones. */
const PAIRED_MAX = 8;
const KEYS_MAX = 10;

/** A column that may be part of a key. */
export interface KeyColumn {
  name: string;
  type: string;
  nulls: number;
}

/** Keys of all rows, single columns before pairs; none where rows are twice there, or there are none. */
export async function findKeys(
  relation: string,
  columns: readonly KeyColumn[],
  engine: TaskContext["engine"],
): Promise<string[][]> {
  const candidates = columns.filter(({ type, nulls }) =>
    nulls === 0 && /^(?:VARCHAR|UUID|DATE|TIME|BIGINT|INTEGER|DECIMAL\(\d+,0\))/.test(type)
  );
  if (candidates.length === 0) return [];
  const distinct = async (keys: readonly (readonly string[])[]) => {
    const counts = keys.map((names) => `count(DISTINCT (${names.map(ident).join(", ")}))`);
    const { rows: [[all, ...found]] } = await engine.run(
      `SELECT count(*), ${counts.join(", ")} FROM (${relation})`,
      { rowsMax: 1 },
    );
    return { all: Number(all), found: found.map(Number) };
  };
  const singles = candidates.map(({ name }) => [name]);
  const { all, found } = await distinct(singles);
  if (all < 2) return [];
  const keys = singles.filter((_, i) => found[i] === all);
  if (keys.length > 0) return keys.slice(0, KEYS_MAX);
  const telling = singles.map(([name], i) => ({ name, count: found[i] }))
    .filter(({ count }) => count > 1)
    .sort((a, b) => b.count - a.count).slice(0, PAIRED_MAX);
  const pairs = telling.flatMap((first, i) =>
    telling.slice(i + 1).filter(({ count }) => count * first.count >= all)
      .map((second) => [first.name, second.name])
  );
  if (pairs.length === 0) return [];
  const paired = await distinct(pairs);
  const order = new Map(columns.map(({ name }, i) => [name, i]));
  return pairs.filter((_, i) => paired.found[i] === all)
    .map((pair) => pair.sort((a, b) => order.get(a)! - order.get(b)!)).slice(0, KEYS_MAX);
}
