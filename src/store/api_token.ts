/** @module Tokens of the REST API: table api_token. Only a token's hash is stored. */
import { sha256 } from "../base/hash.ts";
import { type Ids, randomToken } from "../base/ids.ts";
import type { AnySql } from "./database.ts";

/** A token as people see it. */
export interface ApiToken {
  id: string;
  name: string;
  role: string;
  createdBy: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** A use is written down at most this often, so that reads stay reads. */
const touchEveryMs = 60_000;

/** Make a token; it is shown once, here. Prefix `tw_` lets scanners of leaked secrets find it. */
export async function createToken(
  sql: AnySql,
  { name, role, ids, now, createdBy = null, expiresAt = null, token = `tw_${randomToken()}` }: {
    name: string;
    role: string;
    ids: Ids;
    now: Date;
    createdBy?: string | null;
    expiresAt?: Date | null;
    /** A token that exists elsewhere already, such as `$TIDEWHEEL_HOME/token`. */
    token?: string;
  },
): Promise<{ token: string; row: ApiToken }> {
  const [row] = await sql<ApiToken[]>`
    insert into api_token (id, name, role, token_sha256, created_by, created_at, expires_at)
    values (${ids.uuid()}, ${name}, ${role}, ${sha256(token)}, ${createdBy}, ${now}, ${expiresAt})
    returning id, name, role, created_by, created_at, expires_at, last_used_at, revoked_at`;
  return { token, row };
}

/** Whose token this is, when it is neither revoked nor expired at `now`; else null. */
export async function findToken(
  sql: AnySql,
  { token, now }: { token: string; now: Date },
): Promise<ApiToken | null> {
  const [row] = await sql<ApiToken[]>`
    select id, name, role, created_by, created_at, expires_at, last_used_at, revoked_at
    from api_token
    where token_sha256 = ${sha256(token)} and revoked_at is null
      and (expires_at is null or expires_at > ${now})`;
  return row ?? null;
}

/** Note that a token was used; nothing is written when that was noted within the last minute. */
export async function touchToken(sql: AnySql, { row, now }: { row: ApiToken; now: Date }) {
  const lastMs = row.lastUsedAt?.getTime() ?? 0;
  if (now.getTime() - lastMs < touchEveryMs) return;
  await sql`update api_token set last_used_at = ${now} where id = ${row.id}`;
}

/** Tokens, newest first; revoked ones too. */
export async function listTokens(
  sql: AnySql,
  { limit, offset = 0 }: { limit: number; offset?: number },
): Promise<ApiToken[]> {
  return [
    ...await sql<ApiToken[]>`
      select id, name, role, created_by, created_at, expires_at, last_used_at, revoked_at
      from api_token order by created_at desc, id desc limit ${limit} offset ${offset}`,
  ];
}

/** End a token for good; false where none of that id is alive. */
export async function revokeToken(
  sql: AnySql,
  { id, now }: { id: string; now: Date },
): Promise<boolean> {
  const ended = await sql`
    update api_token set revoked_at = ${now} where id = ${id} and revoked_at is null returning 1`;
  return ended.length > 0;
}
