/**
 * @module Calls of several attempts in one request: each is fenced and answered by itself.
 *
 * The hot path of the product: a call costs one HMAC, and the database is asked once for all
 * endings that wait (see `grouper.ts`) and once for all heartbeats.
 */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { AttemptEnd, type CallResult, LogLine } from "../../contract/execution.ts";
import { AppError, hasCode, messageOf } from "../../model/errors.ts";
import type { AttemptLogs } from "../../logs/port.ts";
import type { Metrics } from "../../metrics/registry.ts";
import type { Tracer } from "../../metrics/trace.ts";
import { databaseError } from "../../store/errors.ts";
import type { AttemptEnding, EndingResult, EngineStore } from "../../store/port.ts";
import type { AttemptClaims, TokenMint } from "../attempt_token.ts";
import { decideEnding, decideRefused, type EndingFacts } from "./ending.ts";
import { grouper } from "./grouper.ts";
import type { CachedVersion, Versions } from "./versions.ts";

/** A call as it comes in, not yet checked; see `ExecutionCall` in the contract. */
export interface RawCall {
  call: string;
  attemptId: string;
  token: string;
  end?: unknown;
  from?: unknown;
  lines?: unknown;
}

/** Carries out calls. */
export interface Calls {
  /** Results in the order of the calls; throws UNAVAILABLE only when nothing could be done. */
  run(calls: readonly RawCall[]): Promise<CallResult[]>;
  heartbeat(claims: AttemptClaims): Promise<CallResult>;
  end(claims: AttemptClaims, end: unknown): Promise<CallResult>;
  log(claims: AttemptClaims, from: unknown, lines: unknown): Promise<CallResult>;
}

/** What calls need. */
export interface CallsParts {
  store: EngineStore;
  versions: Versions;
  logs: AttemptLogs;
  mint: TokenMint;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  tracer: Tracer;
  log: Logger;
  /** An attempt ended. */
  onEnded: (attemptId: string) => void;
}

/** Half of the life that every token has at least: past it, a heartbeat brings a new one. */
const TOKEN_HALF_LIFE_S = 3.5 * 86_400;
const TOKEN_LIFE_S = 2 * TOKEN_HALF_LIFE_S;

/** Calls over the store. */
export function executionCalls(parts: CallsParts): Calls {
  const { store, versions, logs, mint, clock, random, metrics, log } = parts;
  const commit = grouper<AttemptEnding, EndingResult>(
    (endings) => store.endAttempts(endings, clock.now()),
    { max: limits.executionBatch, isCommon: (error) => isDatabaseAway(error) },
  );

  async function beat(all: readonly AttemptClaims[]): Promise<CallResult[]> {
    if (all.length === 0) return [];
    const states = await store.heartbeat(all.map((claims) => claims.attemptId));
    return states.map((state, i) => {
      if (state === "running") return { status: 204, ...refreshed(all[i]) };
      if (state === "gone") return { status: 410, reason: "gone" };
      return { status: 409, reason: state === "cancelling" ? "cancelling" : "not_running" };
    });
  }

  function refreshed(claims: AttemptClaims): { token?: string } {
    const nowS = clock.now().getTime() / 1000;
    if (claims.expiresAtS - nowS > TOKEN_HALF_LIFE_S) return {};
    return { token: mint.attempt({ ...claims, expiresAtS: Math.ceil(nowS + TOKEN_LIFE_S) }) };
  }

  async function endAll(
    all: readonly { claims: AttemptClaims; end: unknown }[],
  ): Promise<CallResult[]> {
    if (all.length === 0) return [];
    const found = await versions.load(all.map(({ claims }) => claims.dagVersionId));
    const facts = all.map(({ claims, end }) => factsOf(claims, end, found));
    const good = facts.filter((each): each is Decided => "ending" in each);
    const written = await write(good);
    return facts.map((each) => "ending" in each ? written.get(each)! : each);
  }

  interface Decided {
    facts: EndingFacts;
    ending: AttemptEnding;
    version: CachedVersion;
  }

  function factsOf(
    claims: AttemptClaims,
    raw: unknown,
    found: ReadonlyMap<string, CachedVersion>,
  ): Decided | CallResult {
    const parsed = AttemptEnd.safeParse(raw);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return { status: 400, reason: `end.${issue.path.join(".")}: ${issue.message}` };
    }
    const version = found.get(claims.dagVersionId);
    const task = version?.tasks.get(claims.taskId);
    if (!version || !task) return { status: 410, reason: "gone" };
    const facts: EndingFacts = {
      attempt: claims,
      task,
      downstream: task.isBranch ? version.downstream(task.taskId) : none,
      retryBudget: version.spec.retryBudget,
      end: parsed.data,
      now: clock.now(),
      chance: random.next(),
    };
    return { facts, ending: decideEnding(facts), version };
  }

  async function write(decided: readonly Decided[]): Promise<Map<Decided, CallResult>> {
    const settled = await Promise.all(decided.map((each) => writeOne(each)));
    return new Map(decided.map((each, i) => [each, settled[i]]));
  }

  /** Plain endings share a commit; one with effects has a transaction of its own anyway. */
  async function writeOne(each: Decided): Promise<CallResult> {
    const first = await commitOne(each.ending, each.facts);
    const why = first.status === "fulfilled"
      ? first.value.result === "invalid" ? first.value.reason : null
      : whyRefused(first.reason);
    if (why !== null && each.ending.result === "succeed") {
      const refused = decideRefused(each.facts, why);
      return resultOf(each, refused, await commitOne(refused, each.facts));
    }
    return resultOf(each, each.ending, first);
  }

  async function commitOne(
    ending: AttemptEnding,
    { attempt }: EndingFacts,
  ): Promise<PromiseSettledResult<EndingResult>> {
    if (!ending.effects) return (await commit([ending]))[0];
    const [settled] = await Promise.allSettled([
      parts.tracer.span(
        "attempt.publish",
        { "tidewheel.dag_id": attempt.dagId, "tidewheel.task_id": attempt.taskId },
        attempt.traceParent,
        () => store.endAttempts([ending], clock.now()),
      ),
    ]);
    return settled.status === "fulfilled"
      ? { status: "fulfilled", value: settled.value[0] }
      : settled;
  }

  function resultOf(
    { facts, version }: Decided,
    ending: AttemptEnding,
    settled: PromiseSettledResult<EndingResult>,
  ): CallResult {
    const { attemptId } = ending;
    if (settled.status === "rejected") return failure(settled.reason, attemptId);
    const { value } = settled;
    switch (value.result) {
      case "ok":
        parts.onEnded(attemptId);
        logs.end(attemptId);
        countEnding(metrics, facts, version, ending, value.state);
        return { status: 200 };
      case "repeat":
        return { status: 200 };
      case "gone":
        return { status: 410, reason: "gone" };
      case "not_running":
        return { status: 409, reason: "not_running" };
      case "invalid":
        return { status: 400, reason: value.reason };
    }
  }

  function failure(thrown: unknown, attemptId: string): CallResult {
    const error = databaseError(thrown, "write the end of an attempt");
    if (hasCode(error, "UNAVAILABLE")) throw error;
    if (hasCode(error, "DISK_FULL")) return { status: 507, reason: messageOf(error) };
    log.error("Could not carry out a call of an attempt", {
      attempt: attemptId,
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return { status: 500, reason: "the service met an error that it did not expect" };
  }

  async function append(claims: AttemptClaims, from: unknown, raw: unknown): Promise<CallResult> {
    const wrong = whatIsWrongWithLines(from, raw);
    if (wrong) return { status: 400, reason: wrong };
    try {
      const { open } = await logs.append(claims.attemptId, from as number, raw as LogLine[]);
      return open ? { status: 204 } : { status: 410, reason: "gone" };
    } catch (error) {
      return failure(error, claims.attemptId);
    }
  }

  async function run(calls: readonly RawCall[]): Promise<CallResult[]> {
    const results: CallResult[] = new Array(calls.length);
    const beats: { at: number; claims: AttemptClaims }[] = [];
    const ends: { at: number; claims: AttemptClaims; end: unknown }[] = [];
    const unkept = new Map<string, CallResult>();
    const nowMs = clock.now().getTime();
    for (let at = 0; at < calls.length; at++) {
      const call = calls[at];
      const claims = readToken(mint, call, nowMs);
      if ("status" in claims) results[at] = claims;
      else if (call.call === "heartbeat") beats.push({ at, claims });
      else if (call.call === "log") {
        results[at] = await append(claims, call.from, call.lines);
        if (results[at].status === 507) unkept.set(call.attemptId, results[at]);
      } else if (call.call === "end") {
        // When there is room its last lines come again, and it behind them: an end closes the log.
        const lost = unkept.get(call.attemptId);
        if (lost) results[at] = lost;
        else ends.push({ at, claims, end: call.end });
      } else results[at] = { status: 400, reason: `"${call.call}" is not a call` };
    }
    const [beaten, ended] = await Promise.all([
      beat(beats.map(({ claims }) => claims)),
      endAll(ends),
    ]);
    beats.forEach(({ at }, i) => results[at] = beaten[i]);
    ends.forEach(({ at }, i) => results[at] = ended[i]);
    results.forEach(({ status }, at) =>
      metrics.inc("tidewheel_execution_calls_total", {
        call: knownCalls.has(calls[at]?.call) ? calls[at].call : "unknown",
        status: String(status),
      })
    );
    return results;
  }

  return {
    run,
    heartbeat: async (claims) => (await beat([claims]))[0],
    end: async (claims, end) => (await endAll([{ claims, end }]))[0],
    log: append,
  };
}

/** Codes and classes of SQLSTATE by which what a task put out cannot be written, now or later. */
const refusals = new Set(["CONFLICT", "INVALID", "NOT_FOUND", "TOO_LARGE", "CORRUPT"]);

/** Why the store cannot take a success, ever; null: another error. */
function whyRefused(error: unknown): string | null {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string") return null;
  if (refusals.has(code)) return messageOf(error);
  const isData = /^(22|23|54)[0-9A-Z]{3}$/.test(code);
  return isData ? `The database cannot keep what the task put out: ${messageOf(error)}` : null;
}

const none: ReadonlySet<string> = new Set();
const knownCalls = new Set(["heartbeat", "end", "log"]);

function readToken(mint: TokenMint, call: RawCall, nowMs: number): AttemptClaims | CallResult {
  if (typeof call?.token !== "string") {
    return { status: 401, reason: "the call has no token" };
  }
  try {
    const claims = mint.readAttempt(call.token, nowMs);
    if (claims.attemptId === call.attemptId) return claims;
    return { status: 401, reason: "the token is another attempt's" };
  } catch (error) {
    if (error instanceof AppError) return { status: 401, reason: error.message };
    throw error;
  }
}

/** Lines come by the thousand: shapes are looked at by hand, the schema only names what is wrong. */
function whatIsWrongWithLines(from: unknown, lines: unknown): string | null {
  if (!Number.isSafeInteger(from) || (from as number) < 0) {
    return "from: must be a whole number from 0";
  }
  if (!Array.isArray(lines) || lines.length > 1000) return "lines: must be a list of at most 1000";
  for (const [i, line] of lines.entries()) {
    if (isPlainLine(line)) continue;
    const parsed = LogLine.safeParse(line);
    if (parsed.success) continue;
    const [issue] = parsed.error.issues;
    return `lines.${i}.${issue.path.join(".")}: ${issue.message}`;
  }
  return null;
}

const levels = new Set(["DEBUG", "INFO", "WARN", "ERROR"]);

function isPlainLine(line: Partial<LogLine> | null): boolean {
  return typeof line?.message === "string" && typeof line.at === "string" &&
    line.at.length === 24 && !Number.isNaN(Date.parse(line.at)) && levels.has(line.level!) &&
    (line.from === "task" || line.from === "worker") && line.fields === undefined;
}

function isDatabaseAway(error: unknown): boolean {
  const code = (databaseError(error, "write") as { code?: string }).code;
  return code === "UNAVAILABLE" || code === "DISK_FULL";
}

function countEnding(
  metrics: Metrics,
  { task, end }: EndingFacts,
  { dagId }: CachedVersion,
  ending: AttemptEnding,
  state: string,
) {
  metrics.inc("tidewheel_ti_finish_total", { dag_id: dagId, state });
  metrics.inc("tidewheel_attempt_end_total", { end_reason: ending.endReason });
  const failed = state === "failed" || state === "up_for_retry";
  if (failed) metrics.inc("tidewheel_operator_failures_total", { operator: task.operator });
  if (state !== "success") return;
  metrics.inc("tidewheel_operator_successes_total", { operator: task.operator });
  const effects = end.outcome?.kind === "done" ? end.outcome.effects : undefined;
  for (const [kind, rows] of Object.entries(effects?.accounting ?? {})) {
    if (rows > 0) metrics.inc("tidewheel_rows_total", { dag_id: dagId, kind }, rows);
  }
  for (const { dataset } of effects?.publish ?? []) {
    metrics.inc("tidewheel_dataset_updates_total", { dataset });
  }
}
