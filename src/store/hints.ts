/**
 * @module Hints: "something changed", within a process and between processes.
 *
 * A hint is published after the commit that it speaks of. Within a process it is a plain call;
 * between processes one NOTIFY carries whatever waited while the one before was under way, since a
 * NOTIFY inside each transaction costs three quarters of the throughput.
 */
import type { Sql } from "postgres";
import type { Logger } from "../base/log.ts";
import { isRunFinished } from "../model/run_state.ts";
import type { AttemptEnding, EndingResult, Hint, TickResult, TickWrites } from "./port.ts";

/** Carries hints. */
export interface HintBus {
  publish(hint: Hint): void;
  subscribe(onHint: (hint: Hint) => void): () => void;
  /** Ends the connection to other processes, if there is one. */
  close(): Promise<void>;
}

/** Channel of NOTIFY. */
const CHANNEL = "tidewheel_hint";
/** PostgreSQL refuses payloads of 8,000 bytes and more. */
const PAYLOAD_BYTES = 7_900;

/** Hints within this process only. */
export function localHintBus(): HintBus {
  const listeners = new Set<(hint: Hint) => void>();
  return {
    publish(hint) {
      for (const listener of listeners) listener(hint);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => Promise.resolve(),
  };
}

/** Hints to and from every process on the same database; local ones do not take the round trip. */
export async function databaseHintBus(
  sql: Sql,
  { origin, log }: { origin: string; log: Logger },
): Promise<HintBus> {
  const local = localHintBus();
  let waiting: Hint[] = [];
  let sending: Promise<void> | null = null;
  const subscription = await sql.listen(CHANNEL, (payload) => {
    const message = JSON.parse(payload) as { origin: string; hints: Hint[] };
    if (message.origin === origin) return;
    for (const hint of message.hints) local.publish(hint);
  });

  async function send() {
    while (waiting.length > 0) {
      const hints = mergeHints(waiting);
      waiting = [];
      for (const payload of payloads(origin, hints)) {
        await sql`select pg_notify(${CHANNEL}, ${payload})`.catch((error) =>
          log.warn("Could not send a hint to other processes: their sweep will find it", {
            error: String(error),
          })
        );
      }
    }
    sending = null;
  }

  return {
    publish(hint) {
      local.publish(hint);
      waiting.push(hint);
      sending ??= send();
    },
    subscribe: local.subscribe,
    async close() {
      await sending;
      await subscription.unlisten().catch(() => {});
    },
  };
}

/** DAGs for which these endings left dataset events. */
export function waitingDags(results: readonly EndingResult[]): string[] {
  return [
    ...new Set(results.flatMap((each) => "waitingDags" in each ? each.waitingDags ?? [] : [])),
  ];
}

/** May these writes have left events to deliver? */
export function isTelling({ runMoves, taskMoves, deadlines }: TickWrites): boolean {
  return deadlines !== undefined || runMoves.some((move) => move.event) ||
    taskMoves.some((move) => move.eventId);
}

/** The runs that a pass has ended. */
export function endedRuns({ runMoves }: TickWrites, result: TickResult): string[] {
  const isMoved = new Set(result.runMoves);
  return runMoves.filter(({ id, to }) => isRunFinished(to) && isMoved.has(id)).map(({ id }) => id);
}

/** What else these endings leave to look at: datasets that were published, triggers that wait. */
export function effectHints(
  endings: readonly AttemptEnding[],
  results: readonly EndingResult[],
): Hint[] {
  const datasets = results.flatMap((each) => "datasets" in each ? each.datasets ?? [] : []);
  const kinds = endings.flatMap(({ parked }, i) =>
    parked?.trigger && results[i].result === "ok" ? [parked.trigger.kind] : []
  );
  return [
    { topic: "datasets" as const, ids: [...new Set(datasets)] },
    { topic: "triggers" as const, ids: [...new Set(kinds)] },
  ].filter(({ ids }) => ids.length > 0);
}

/** The hint that attempts have ended; null when none of the endings took effect. */
export function endedHint(
  endings: readonly AttemptEnding[],
  results: readonly EndingResult[],
): Hint | null {
  const runs = new Set<string>();
  const instances: string[] = [];
  const ended: NonNullable<Extract<Hint, { topic: "runs" }>["ended"]> = [];
  results.forEach((result, i) => {
    if (!("dagRunId" in result)) return;
    const { taskInstanceId, state } = result;
    runs.add(result.dagRunId);
    instances.push(taskInstanceId);
    if (result.result !== "ok" || result.byHand) return;
    const { attemptId, nextTryAt, outputLength, chosen } = endings[i];
    ended.push({ taskInstanceId, attemptId, state, nextTryAt, outputLength, chosen });
  });
  if (runs.size === 0) return null;
  return { topic: "runs", ids: [...runs], taskInstanceIds: instances, ended };
}

/** One hint a topic, with every id once; whole runs and single instances of runs stay apart. */
export function mergeHints(hints: readonly Hint[]): Hint[] {
  const merged = new Map<string, { hint: Hint; ids: Set<string>; tasks: Set<string> }>();
  for (const hint of hints) {
    const tasks = hint.topic === "runs" ? hint.taskInstanceIds ?? [] : [];
    const key = tasks.length > 0 ? "instances" : hint.topic;
    const into = merged.get(key) ?? { hint, ids: new Set(), tasks: new Set() };
    merged.set(key, into);
    for (const id of hint.ids) into.ids.add(id);
    for (const id of tasks) into.tasks.add(id);
  }
  return [...merged.values()].map(({ hint, ids, tasks }) =>
    tasks.size > 0
      ? { topic: "runs", ids: [...ids], taskInstanceIds: [...tasks] }
      : { topic: hint.topic, ids: [...ids] }
  );
}

/** Split hints over payloads small enough; a run hint without instances means "all of it". */
export function payloads(origin: string, hints: readonly Hint[]): string[] {
  return hints.flatMap((hint) => {
    const whole = JSON.stringify({ origin, hints: [hint] });
    if (bytesOf(whole) <= PAYLOAD_BYTES) return [whole];
    const { topic } = hint;
    const room = PAYLOAD_BYTES - bytesOf(JSON.stringify({ origin, hints: [{ topic, ids: [] }] }));
    return chunks(hint.ids, room).map((ids) => JSON.stringify({ origin, hints: [{ topic, ids }] }));
  });
}

/** Lists of ids of at most so many bytes of JSON; one id always fits. */
function chunks(ids: readonly string[], bytesMax: number): string[][] {
  const lists: string[][] = [];
  let left = 0;
  for (const id of ids) {
    const bytes = bytesOf(JSON.stringify(id)) + 1;
    if (bytes > left || lists.length === 0) {
      lists.push([]);
      left = bytesMax;
    }
    lists.at(-1)!.push(id);
    left -= bytes;
  }
  return lists;
}

const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text).length;
