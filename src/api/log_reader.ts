/** @module The log of one try: the logs of its attempts, one after the other. */
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import { isFinished } from "../model/task_state.ts";
import type { StoredLine } from "../logs/port.ts";
import {
  type AttemptRow,
  listAttemptsOf,
  type TaskInstanceRow,
} from "../store/task_instance_query.ts";
import type { Rest } from "./rest.ts";

/** A line as Airflow's clients read it. */
export interface ShownLine {
  timestamp: string;
  event: string;
  level: string;
  logger: string;
  [field: string]: unknown;
}

/** A place in the log of a try. */
interface Place {
  attemptId: string;
  offset: number;
}

/** A piece of a try's log. */
export interface TryLogPiece {
  lines: ShownLine[];
  /** Where to go on; null: the try is over and all of its log was read. */
  token: string | null;
  /** Nothing more is there now. */
  isDry: boolean;
  /** The attempt that was read last. */
  attemptId: string | null;
}

/** Read about one page of a try's log from a token on. Throws NOT_FOUND for a try that never was. */
export async function readTryLog(
  rest: Rest,
  instance: TaskInstanceRow,
  { tryNumber, token }: { tryNumber: number; token: string | null },
): Promise<TryLogPiece> {
  const all = await listAttemptsOf(rest.sql, instance.id);
  const attempts = all.filter((attempt) => attempt.tryNumber === tryNumber);
  if (attempts.length === 0 && tryNumber > instance.tryNumber + 1) {
    throw new AppError(
      "NOT_FOUND",
      `Cannot find try ${tryNumber} of task "${instance.taskId}": it had ${instance.tryNumber}`,
    );
  }
  const place = parseToken(token);
  let index = Math.max(0, attempts.findIndex(({ id }) => id === place?.attemptId));
  const lines: ShownLine[] = [];
  let offset = place && attempts[index]?.id === place.attemptId ? place.offset : 0;
  for (; index < attempts.length; index++, offset = 0) {
    const attempt = attempts[index];
    const chunk = await rest.logs.read(attempt.id, offset);
    lines.push(...chunk.lines.map(shown));
    const isLast = index === attempts.length - 1;
    if (offset === 0 && attempt.state === "queued" && isLast) {
      lines.push(...waitingNote(rest, attempt, instance));
    }
    if (offset === 0 && chunk.lines.length === 0 && attempt.state === "ended") {
      lines.push(...endNote(attempt));
    }
    const next = { attemptId: attempt.id, offset: chunk.nextOffset };
    if (chunk.more) return { lines, token: toToken(next), isDry: false, attemptId: attempt.id };
    if (isLast) {
      const isOver = attempt.state === "ended" && isTryOver(all, instance, tryNumber);
      const token = isOver ? null : toToken(next);
      return { lines, token, isDry: chunk.lines.length === 0, attemptId: attempt.id };
    }
  }
  const isOver = isTryOver(all, instance, tryNumber);
  return { lines, token: isOver ? null : "-:0", isDry: true, attemptId: null };
}

/** Follow a try's log until it is over or nobody listens. */
export async function* followTryLog(
  rest: Rest,
  find: () => Promise<TaskInstanceRow | null>,
  tryNumber: number,
  signal: AbortSignal,
): AsyncGenerator<ShownLine[]> {
  let token: string | null = null;
  let watched: string | null = null;
  do {
    // Begun before the look, so that nothing which happens during it is missed.
    const looked = new AbortController();
    const change = watched === null
      ? null
      : rest.logs.changed(watched, FOLLOW_MS, AbortSignal.any([signal, looked.signal]));
    try {
      const instance = await find();
      if (!instance) return;
      const piece: TryLogPiece = await readTryLog(rest, instance, { tryNumber, token });
      if (piece.lines.length > 0) yield piece.lines;
      token = piece.token;
      if (token === null) return;
      if (piece.isDry && piece.attemptId === null) await rest.clock.sleep(FOLLOW_MS, { signal });
      else if (piece.isDry && piece.attemptId === watched) await change;
      watched = piece.attemptId;
    } finally {
      looked.abort();
    }
  } while (!signal.aborted);
}

/** Longest time between two looks at a log that is followed. */
const FOLLOW_MS = 500;

/** A line as text for people. */
export function lineText({ timestamp, level, event }: ShownLine): string {
  return `${timestamp} ${level.toUpperCase().padEnd(5)} ${event}\n`;
}

function shown({ at, level, from, message, fields }: StoredLine): ShownLine {
  return { ...fields, timestamp: at, event: message, level: level.toLowerCase(), logger: from };
}

/** Will no line come any more: the instance is finished, or another try goes on? */
function isTryOver(all: readonly AttemptRow[], instance: TaskInstanceRow, tryNumber: number) {
  return isFinished(instance.state) || all.some((attempt) => attempt.tryNumber > tryNumber);
}

/** Nobody took the attempt for long: say so where people look first. */
function waitingNote(rest: Rest, attempt: AttemptRow, instance: TaskInstanceRow): ShownLine[] {
  const waitedMs = rest.clock.now().getTime() - attempt.queuedAt.getTime();
  if (waitedMs < limits.queuedWarnMs) return [];
  return [{
    timestamp: rest.clock.now().toISOString(),
    event:
      `Queued for ${Math.round(waitedMs / 60_000)} minutes: no worker took it from the queue ` +
      `"${instance.queue}"; start one with: tidewheel worker --queue ${instance.queue}`,
    level: "warn",
    logger: "worker",
  }];
}

/** An attempt that ended without a line of its own: its end reason is all there is to say. */
function endNote({ endDate, queuedAt, endReason, evidence }: AttemptRow): ShownLine[] {
  if (endReason === "success" || endReason === "skipped" || endReason === null) return [];
  return [{
    timestamp: (endDate ?? queuedAt).toISOString(),
    event: `Ended: ${endReason}${evidence.message ? `: ${evidence.message}` : ""}`,
    level: "error",
    logger: "worker",
  }];
}

function toToken({ attemptId, offset }: Place): string {
  return `${attemptId}:${offset}`;
}

function parseToken(token: string | null): Place | null {
  const [attemptId, offset] = token?.split(":") ?? [];
  return offset && /^\d{1,15}$/.test(offset) ? { attemptId, offset: Number(offset) } : null;
}
