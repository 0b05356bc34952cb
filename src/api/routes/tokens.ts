/** @module Routes of tokens: a token is shown when it is made and never again. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  type ApiToken,
  createToken,
  listTokens,
  revokeToken,
  tokenOrders,
} from "../../store/api_token.ts";
import { appendAudit } from "../../store/audit_log.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { paging, QueryFlag } from "../shapes/basic.ts";
import {
  ApiTokenBody,
  ApiTokenCollection,
  ApiTokenShape,
  NewApiTokenShape,
} from "../shapes/token.ts";
import { iso } from "../views/dag.ts";

const tag = "Tokens";
const DAY_MS = 86_400_000;

/** Add them. What they change and its entry in the audit log are one transaction. */
export function addTokenRoutes(book: RouteBook, { sql, ids, clock }: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/tokens",
    permission: "tokens.read",
    tag,
    summary: "List tokens, without their secrets",
    query: z.object({
      active: QueryFlag.default(false).meta({ doc: "Only those not revoked and not expired" }),
      ...paging(tokenOrders, "-created_at"),
    }),
    returns: ApiTokenCollection,
  }, async ({ query }) => {
    const now = clock.now();
    const aliveAt = query.active ? now : null;
    const { items, total } = await listTokens(sql, { aliveAt }, pageOf(query));
    return { tokens: items.map((row) => view(row, now)), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/tokens",
    permission: "tokens.edit",
    tag,
    summary: "Make a token for a person, a program or a worker; it is shown this once",
    body: ApiTokenBody,
    returns: NewApiTokenShape,
    status: 201,
  }, async ({ body, principal }) => {
    const now = clock.now();
    const { name, role, queues = null, expires_in_days: days } = body;
    const made = await sql.begin(async (tx) => {
      const made = await createToken(tx, {
        ...{ name, role, queues, ids, now },
        createdBy: principal.name,
        expiresAt: days == null ? null : new Date(now.getTime() + days * DAY_MS),
      });
      await appendAudit(tx, { event: auditOf("token.create", principal.name, made.row), now });
      return made;
    });
    return { ...view(made.row, now), token: made.token };
  });

  book.add({
    method: "delete",
    path: "/api/v2/tokens/{token_id}",
    permission: "tokens.edit",
    tag,
    summary: "Revoke a token; every API process refuses it within two seconds",
    params: z.object({ token_id: z.uuid() }),
    returns: ApiTokenShape,
  }, async ({ params: { token_id: id }, principal }) => {
    const now = clock.now();
    const row = await sql.begin(async (tx) => {
      const row = await revokeToken(tx, { id, now });
      if (row) await appendAudit(tx, { event: auditOf("token.revoke", principal.name, row), now });
      return row;
    });
    if (row) return view(row, now);
    throw new AppError(
      "NOT_FOUND",
      `Cannot revoke the token ${id}: there is none of that id, or it was revoked before`,
    );
  });
}

function auditOf(event: string, actor: string, { id, name, role, queues }: ApiToken) {
  return { event, actor, extra: { tokenId: id, name, role, ...(queues ? { queues } : {}) } };
}

function view(row: ApiToken, now: Date): z.input<typeof ApiTokenShape> {
  return {
    token_id: row.id,
    name: row.name,
    role: row.role,
    queues: row.queues,
    created_by: row.createdBy,
    created_at: row.createdAt.toISOString(),
    expires_at: iso(row.expiresAt),
    last_used_at: iso(row.lastUsedAt),
    revoked_at: iso(row.revokedAt),
    is_active: row.revokedAt === null && (row.expiresAt === null || row.expiresAt > now),
  };
}
