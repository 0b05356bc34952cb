/** @module Tokens of people, programs and workers: table api_token. Only a token's hash is stored. */
import { sha256 } from "../base/hash.ts";
import { type Ids, randomToken } from "../base/ids.ts";
import type { AnySql, Sql } from "./database.ts";
import { type Listed, orderBy, type Page } from "./page.ts";

/** A token as people see it. */
export interface ApiToken {
  id: string;
  name: string;
  role: string;
  /** Of a worker's token: what it may claim from; `*`: all. */
  queues: string[] | null;
  createdBy: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** A use is written down at most this often, so that reads stay reads. */
const touchEveryMs = 60_000;

/** Fields that a list may be ordered by. */
export const tokenOrders = ["created_at", "name"] as const;

const columns = (sql: AnySql) =>
  sql`id, name, role, queues, created_by, created_at, expires_at, last_used_at, revoked_at`;

/** Make a token; it is shown once, here. Prefix `tw_` lets scanners of leaked secrets find it. */
export async function createToken(
  sql: AnySql,
  {
    name,
    role,
    queues = null,
    ids,
    now,
    createdBy = null,
    expiresAt = null,
    token = `tw_${randomToken()}`,
  }: {
    name: string;
    role: string;
    /** With the role `worker`, and with it alone. */
    queues?: readonly string[] | null;
    ids: Ids;
    now: Date;
    createdBy?: string | null;
    expiresAt?: Date | null;
    /** A token that exists elsewhere already, such as `$TIDEWHEEL_HOME/token`. */
    token?: string;
  },
): Promise<{ token: string; row: ApiToken }> {
  const [row] = await sql<ApiToken[]>`
    insert into api_token (id, name, role, queues, token_sha256, created_by, created_at, expires_at)
    values (${ids.uuid()}, ${name}, ${role}, ${queues && [...queues]}::text[], ${sha256(token)},
      ${createdBy}, ${now}, ${expiresAt})
    returning ${columns(sql)}`;
  return { token, row };
}

/** Whose token this is, when it is neither revoked nor expired at `now`; else null. */
export async function findToken(
  sql: AnySql,
  { token, now }: { token: string; now: Date },
): Promise<ApiToken | null> {
  const [row] = await sql<ApiToken[]>`
    select ${columns(sql)} from api_token
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

/** Is there a token like this, be it ended or not? */
export async function isTokenKnown(sql: AnySql, { token }: { token: string }): Promise<boolean> {
  const found = await sql`select 1 from api_token where token_sha256 = ${sha256(token)}`;
  return found.length > 0;
}

/** A page of tokens. `aliveAt`: only those that are neither revoked nor expired at that instant. */
export async function listTokens(
  sql: Sql,
  { aliveAt = null }: { aliveAt?: Date | null },
  page: Page,
): Promise<Listed<ApiToken>> {
  const order = orderBy(sql, page.orderBy, {
    created_at: sql`created_at`,
    name: sql`name`,
  }, sql`id desc`);
  const found = await sql<(ApiToken & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from api_token
    where ${aliveAt}::timestamptz is null
      or (revoked_at is null and (expires_at is null or expires_at > ${aliveAt}))
    ${order} limit ${page.limit} offset ${page.offset}`;
  return {
    items: found.map(({ total: _total, ...row }) => row),
    total: found[0]?.total ?? 0,
  };
}

/** End a token for good; null where none of that id is there or it was revoked before. */
export async function revokeToken(
  sql: AnySql,
  { id, now }: { id: string; now: Date },
): Promise<ApiToken | null> {
  const [ended] = await sql<ApiToken[]>`
    update api_token set revoked_at = ${now} where id = ${id} and revoked_at is null
    returning ${columns(sql)}`;
  return ended ?? null;
}
