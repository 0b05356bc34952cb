/** @module Where attempts stand, for whoever keeps their logs. */
import type { AnySql } from "./database.ts";

/** Each attempt's phase: `live`, `ended`, or `missing` when its run was deleted. */
export async function attemptPhases(
  sql: AnySql,
  ids: readonly string[],
): Promise<Map<string, "live" | "ended" | "missing">> {
  const found = await sql<{ id: string; state: string }[]>`
    select id, state from attempt where id = any(${[...ids]}::uuid[])`;
  const states = new Map(found.map(({ id, state }) => [id, state]));
  return new Map(ids.map((id) => {
    const state = states.get(id);
    return [id, state === undefined ? "missing" : state === "ended" ? "ended" : "live"];
  }));
}
