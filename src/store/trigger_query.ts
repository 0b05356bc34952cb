/** @module Triggers as pages see them: what waits, and whether somebody looks. */
import type { Sql } from "./database.ts";

/** What a deferred instance waits for. */
export interface TriggerRow {
  kind: string;
  args: Record<string, unknown>;
  createdAt: string;
  claimedBy: string | null;
}

/** Changes whenever a triggers process beats; `isAny`: there is one, `waits`: something waits. */
export async function triggererPulse(sql: Sql) {
  const [found] = await sql<{ pulse: string; isAny: boolean; waits: boolean }[]>`
    select coalesce(string_agg(id || ':' || beats, ',' order by id), '') as pulse,
      count(*) > 0 as "isAny", exists (select from trigger) as waits
    from trigger_claimant`;
  return found;
}
