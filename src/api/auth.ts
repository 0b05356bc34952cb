/** @module Who asks: a bearer token of a person or program, of a worker, or of one attempt. */
import type { Clock } from "../base/clock.ts";
import { AppError } from "../model/errors.ts";
import { type ApiToken, findToken, touchToken } from "../store/api_token.ts";
import type { Sql } from "../store/database.ts";
import type { AttemptClaims, TokenMint } from "./attempt_token.ts";
import {
  type Actor,
  mayDo,
  type Permission,
  permissions,
  type Role,
  roles,
} from "./permissions.ts";

/** Whoever asks. */
export interface Principal {
  actor: Actor;
  /** Shown in the audit log. */
  name: string;
  /** Of an attempt's token. */
  attempt?: AttemptClaims;
  /** Of a worker's token: the queues that it may claim from; `*`: all. */
  queues?: readonly string[];
}

/** Finds out who asks and what they may do. */
export interface Authenticator {
  /** Throws UNAUTHENTICATED for a token that is wrong; no token is nobody known. */
  identify(headers: Headers): Promise<Principal>;
  /** A stored token by itself, or null: for those who trade it. */
  check(token: string): Promise<Principal | null>;
}

/** How long a token that was found good is taken to be so, in milliseconds. */
const TRUST_MS = 2_000;
const TOKENS_KEPT = 1_000;
const TOKEN_CHARS_MAX = 4_096;
const anonymous: Principal = { actor: "anonymous", name: "anonymous" };

/** Tokens of the table `api_token`, and those that the mint signs. */
export function authenticator(
  { sql, mint, clock }: { sql: Sql | null; mint: TokenMint; clock: Clock },
): Authenticator {
  const kept = new Map<string, { principal: Principal; untilMs: number }>();

  async function check(token: string): Promise<Principal | null> {
    const nowMs = clock.monotonicMs();
    const found = kept.get(token);
    if (found && found.untilMs > nowMs) return found.principal;
    kept.delete(token);
    if (!sql) return null;
    const now = clock.now();
    const row = await findToken(sql, { token, now });
    if (!row) return null;
    await touchToken(sql, { row, now });
    const principal = principalOf(row);
    if (kept.size >= TOKENS_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(token, { principal, untilMs: nowMs + TRUST_MS });
    return principal;
  }

  return {
    check,
    async identify(headers) {
      const token = bearer(headers);
      if (token === null) return anonymous;
      if (token.startsWith("tw1.worker.")) {
        return { actor: "worker", name: "worker", queues: mint.readWorker(token) };
      }
      if (token.startsWith("tw1.")) {
        const attempt = mint.readAttempt(token, clock.now().getTime());
        return { actor: "attempt", name: `attempt:${attempt.attemptId}`, attempt };
      }
      const principal = await check(token);
      if (principal) return principal;
      throw new AppError(
        "UNAUTHENTICATED",
        "Cannot accept the token: it is not known, expired or revoked; the local one is in " +
          "$TIDEWHEEL_HOME/token",
      );
    },
  };
}

/** Throws UNAUTHENTICATED or FORBIDDEN unless `principal` may. */
export function authorize({ actor, name }: Principal, permission: Permission): void {
  if (mayDo(actor, permission)) return;
  const rule = permissions[permission];
  const what = `"${permission}" (${rule.allows.toLowerCase()})`;
  if (actor === "anonymous") {
    throw new AppError(
      "UNAUTHENTICATED",
      `Cannot answer without a token: this needs the permission ${what}; send the header ` +
        "Authorization: Bearer <token>",
    );
  }
  const needs = "least" in rule
    ? `the role ${rule.least}`
    : `a token of: ${rule.actors.join(", ")}`;
  throw new AppError(
    "FORBIDDEN",
    `Cannot do this as ${name} (${actor}): the permission ${what} needs ${needs}`,
    { detail: { permission } },
  );
}

function bearer(headers: Headers): string | null {
  const header = headers.get("authorization");
  if (header === null) return null;
  const token = /^bearer +(\S+)$/i.exec(header)?.[1];
  if (token && token.length <= TOKEN_CHARS_MAX) return token;
  throw new AppError(
    "UNAUTHENTICATED",
    'Cannot read the header Authorization: it is not "Bearer <token>"',
  );
}

function principalOf({ name, role, queues }: ApiToken): Principal {
  if (role === "worker") return { actor: "worker", name, queues: queues ?? [] };
  if (!(roles as readonly string[]).includes(role)) {
    throw new AppError(
      "FORBIDDEN",
      `Cannot use the token "${name}": its role "${role}" is none of ${roles.join(", ")}`,
    );
  }
  return { actor: role as Role, name };
}
