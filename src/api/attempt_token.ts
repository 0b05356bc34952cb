/**
 * @module Tokens that the API gives out itself: one for each attempt, one for each fleet of workers.
 *
 * `tw1.<claims>.<mac>`: the claims are base64url JSON, the mac is HMAC-SHA-256 over all before it.
 * They are not secret, only unforgeable; see docs/decisions/0004-attempt-tokens.md.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../model/errors.ts";

/** What an attempt's token says; the API decides on it without asking the database. */
export interface AttemptClaims {
  attemptId: string;
  taskInstanceId: string;
  dagRunId: string;
  dagVersionId: string;
  taskId: string;
  mapIndex: number;
  tryNumber: number;
  maxTries: number;
  infraLosses: number;
  dagId: string;
  runId: string;
  /** Trace that the attempt belongs to. */
  traceParent: string | null;
  /** Seconds since 1970 after which the token is refused. */
  expiresAtS: number;
}

/** Makes tokens under one key, and checks them. */
export interface TokenMint {
  attempt(claims: AttemptClaims): string;
  /** A worker's token for these queues (`*`: all); whoever runs workers is given it. */
  worker(queues: readonly string[]): string;
  /** Throws UNAUTHENTICATED with what is wrong. */
  readAttempt(token: string, nowMs: number): AttemptClaims;
  /** The queues that it may claim from; throws UNAUTHENTICATED. */
  readWorker(token: string): string[];
}

const VERSION = "tw1";
const KEY_CHARS_MIN = 16;
/** Tokens of its own making that a mint knows again without computing; the oldest are forgotten. */
const OWN_KEPT = 10_000;
/** Longest token looked at: claims hold ids and names of at most 250 characters. */
const TOKEN_CHARS_MAX = 4096;

/**
 * A mint over a key of at least 16 characters that all API processes share. Of several keys the
 * first signs; what any of them signed is good.
 */
export function tokenMint(key: string | readonly string[]): TokenMint {
  const keys = typeof key === "string" ? [key] : key;
  const short = keys.length === 0 ? "" : keys.find((each) => each.length < KEY_CHARS_MIN);
  if (short !== undefined) {
    throw new AppError(
      "INVALID",
      `Cannot sign tokens: the key has ${short.length} characters; give at least ${KEY_CHARS_MIN}`,
    );
  }
  const sign = (text: string, key = keys[0]) =>
    createHmac("sha256", key).update(text).digest("base64url");

  function seal(scope: string, claims: unknown): string {
    const text = `${VERSION}.${scope}.${Buffer64.encode(JSON.stringify(claims))}`;
    return `${text}.${sign(text)}`;
  }

  function open(scope: string, token: string): unknown {
    const parts = token.length <= TOKEN_CHARS_MAX ? token.split(".") : [];
    if (parts.length !== 4 || parts[0] !== VERSION) {
      throw refused(`it is not a token of the form "${VERSION}.<scope>.<claims>.<mac>"`);
    }
    const text = token.slice(0, token.lastIndexOf("."));
    if (!keys.some((key) => equalInConstantTime(sign(text, key), parts[3]))) {
      throw refused("its signature is not by a key of this service");
    }
    if (parts[1] !== scope) throw refused(`its scope is "${parts[1]}", not "${scope}"`);
    return JSON.parse(Buffer64.decode(parts[2]));
  }

  const own = new Map<string, AttemptClaims>();

  return {
    attempt(claims) {
      const token = seal("attempt", pack(claims));
      if (own.size >= OWN_KEPT) own.delete(own.keys().next().value!);
      own.set(token, claims);
      return token;
    },
    worker: (queues) => seal("worker", { q: queues }),
    readAttempt(token, nowMs) {
      const claims = own.get(token) ?? unpack(open("attempt", token) as Packed);
      if (claims.expiresAtS * 1000 <= nowMs) {
        throw refused(`it expired at ${new Date(claims.expiresAtS * 1000).toISOString()}`);
      }
      return claims;
    },
    readWorker: (token) => (open("worker", token) as { q: string[] }).q,
  };
}

/** Compare without telling by the time taken where two texts differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const Buffer64 = {
  encode: (text: string) =>
    encoder.encode(text).toBase64({ alphabet: "base64url", omitPadding: true }),
  decode: (text: string) => decoder.decode(Uint8Array.fromBase64(text, { alphabet: "base64url" })),
};

function refused(why: string): AppError {
  return new AppError("UNAUTHENTICATED", `Cannot accept the token: ${why}`);
}

/** As an array: a third shorter, and the order is part of {@link VERSION}. */
type Packed = [
  string,
  string,
  string,
  string,
  string,
  number,
  number,
  number,
  number,
  string,
  string,
  string | null,
  number,
];

function pack(c: AttemptClaims): Packed {
  return [
    c.attemptId,
    c.taskInstanceId,
    c.dagRunId,
    c.dagVersionId,
    c.taskId,
    c.mapIndex,
    c.tryNumber,
    c.maxTries,
    c.infraLosses,
    c.dagId,
    c.runId,
    c.traceParent,
    c.expiresAtS,
  ];
}

function unpack(p: Packed): AttemptClaims {
  return {
    attemptId: p[0],
    taskInstanceId: p[1],
    dagRunId: p[2],
    dagVersionId: p[3],
    taskId: p[4],
    mapIndex: p[5],
    tryNumber: p[6],
    maxTries: p[7],
    infraLosses: p[8],
    dagId: p[9],
    runId: p[10],
    traceParent: p[11],
    expiresAtS: p[12],
  };
}
