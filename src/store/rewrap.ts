/** @module Change of the master key: which keys stored secrets are under, and bringing them under one. */
import { rewrapConnections } from "./connection.ts";
import type { Sql } from "./database.ts";
import type { SecretBox } from "./secrets.ts";
import { rewrapVariables } from "./variable.ts";

/** What {@link rewrapSecrets} did and found. */
export interface Rewrapped {
  connections: number;
  variables: number;
  /** Keys that were not given, with the rows that need them. */
  unreadable: { keyId: string; rows: number }[];
}

/**
 * Wrap the data keys of all connections and variables that are under an older master key with the
 * newest one; the values stay as they are. Rows under a key that was not given are left alone.
 */
export async function rewrapSecrets(sql: Sql, { box }: { box: SecretBox }): Promise<Rewrapped> {
  const connections = await rewrapConnections(sql, { box });
  const variables = await rewrapVariables(sql, { box });
  const unreadable = await sql<{ keyId: string; rows: number }[]>`
    select key_id, count(*) as rows
    from (select key_id from connection union all select key_id from variable) sealed
    where not key_id = any(${[box.keyId, ...box.olderKeyIds]})
    group by key_id order by key_id`;
  return { connections, variables, unreadable: [...unreadable] };
}
