/**
 * @module Logs as one local file an attempt while it runs, as one object once it ended.
 *
 * An append is in the operating system's hands before it is answered, so that no acknowledged line is
 * lost with the process. What a crash leaves half written is cut off at the next append: its lines
 * were not acknowledged and come again.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { LogLine } from "../contract/execution.ts";
import { AppError, hasCode, messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import { concat, decodeLines, encodeLine, fullNote, fullNoteEnd } from "./line.ts";
import { logKey } from "./log_key.ts";
import type { Appended, AttemptLogs, AttemptPhase, LogChunk } from "./port.ts";

/** What file logs need. */
export interface FileLogsParts {
  /** Local folder of growing logs. */
  dir: string;
  /** Where ended ones go, below `logs/`. */
  objects: ObjectStore;
  clock: Clock;
  log: Logger;
  /** Phases of attempts, for the sweep. */
  phases: (attemptIds: string[]) => Promise<Map<string, AttemptPhase>>;
  /** Size of one log at most; default `limits.logBytes`. */
  bytesMax?: number;
}

interface Growing {
  next: number;
  bytes: number;
  full: boolean;
}

/** Bytes that one read gives by default. */
const READ_BYTES = 256 * 1024;
/** Logs put away at the same time. */
const PUT_AWAY_AT_ONCE = 4;
/** Attempts remembered as new: those claimed and not yet ended; the oldest are forgotten. */
const GROWING_MAX = 50_000;

/** Logs in `dir`, put away in `objects`. */
export function fileLogs(
  { dir, objects, clock, log, phases, bytesMax = limits.logBytes }: FileLogsParts,
): AttemptLogs {
  const growing = new Map<string, Growing>();
  const waiting = new Map<string, Set<() => void>>();
  const days = new Set<string>();
  const queue: string[] = [];
  const moving = new Set<Promise<void>>();

  const pathOf = (attemptId: string) => `${dir}/${logKey(attemptId)}`;
  const objectOf = (attemptId: string) => `logs/${logKey(attemptId)}`;

  function remember(attemptId: string, state: Growing): Growing {
    if (growing.size >= GROWING_MAX) growing.delete(growing.keys().next().value!);
    growing.set(attemptId, state);
    return state;
  }

  /** State of a log that this process has not seen: from its file, or null when it is put away. */
  async function recall(attemptId: string): Promise<Growing | null> {
    const found = recover(pathOf(attemptId));
    if (found) return remember(attemptId, found);
    if (await objects.stat(objectOf(attemptId))) return null;
    return growing.get(attemptId) ?? remember(attemptId, { next: 0, bytes: 0, full: false });
  }

  function write(attemptId: string, data: Uint8Array<ArrayBuffer>) {
    const path = pathOf(attemptId);
    const day = path.slice(0, path.lastIndexOf("/"));
    try {
      if (!days.has(day)) {
        Deno.mkdirSync(day, { recursive: true });
        days.add(day);
      }
      Deno.writeFileSync(path, data, { append: true, create: true });
    } catch (cause) {
      days.delete(day);
      // Part of it may have been written: the next append looks at the file again, and cuts it.
      growing.delete(attemptId);
      throw diskError(cause, path);
    }
  }

  function wake(attemptId: string) {
    for (const each of waiting.get(attemptId) ?? []) each();
  }

  async function putAway(attemptId: string) {
    growing.delete(attemptId);
    const path = pathOf(attemptId);
    try {
      if (Deno.statSync(path).size > 0) await objects.putFile(objectOf(attemptId), path);
      await Deno.remove(path).catch(() => {});
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (hasCode(error, "CONFLICT")) return await Deno.remove(path).catch(() => {});
      log.warn("Could not put a log into object storage: it stays local until the next sweep", {
        attempt: attemptId,
        error: messageOf(error),
      });
    }
  }

  function pump() {
    while (moving.size < PUT_AWAY_AT_ONCE && queue.length > 0) {
      const move = putAway(queue.shift()!).finally(() => {
        moving.delete(move);
        pump();
      });
      moving.add(move);
    }
  }

  return {
    begin(attemptId) {
      if (!growing.has(attemptId)) remember(attemptId, { next: 0, bytes: 0, full: false });
    },

    async append(attemptId, from, lines): Promise<Appended> {
      const state = growing.get(attemptId) ?? await recall(attemptId);
      if (!state) return { next: from + lines.length, open: false };
      const fresh = lines.slice(Math.max(0, state.next - from));
      if (fresh.length === 0) return { next: state.next, open: true };
      const first = Math.max(from, state.next);
      if (!state.full) {
        const data = render(state, first, fresh);
        if (data.length > 0) write(attemptId, data);
        state.bytes += data.length;
      }
      state.next = first + fresh.length;
      wake(attemptId);
      return { next: state.next, open: true };
    },

    async read(attemptId, offset, options = {}): Promise<LogChunk> {
      const want = Math.max(options.bytesMax ?? READ_BYTES, limits.logLineBytes + 1024);
      const bytes = readLocal(pathOf(attemptId), offset, want) ??
        await readObject(objects, objectOf(attemptId), offset, want) ??
        readLocal(pathOf(attemptId), offset, want);
      if (!bytes) return { lines: [], nextOffset: offset, more: false };
      const { lines, used } = decodeLines(bytes);
      return { lines, nextOffset: offset + used, more: bytes.length === want };
    },

    end(attemptId) {
      wake(attemptId);
      const state = growing.get(attemptId);
      if (state?.bytes === 0) return void growing.delete(attemptId);
      queue.push(attemptId);
      pump();
    },

    async changed(attemptId, ms, signal) {
      const stop = new AbortController();
      const wakers = waiting.get(attemptId) ?? new Set();
      waiting.set(attemptId, wakers);
      const wakeUp = () => stop.abort();
      wakers.add(wakeUp);
      try {
        const either = signal ? AbortSignal.any([stop.signal, signal]) : stop.signal;
        await clock.sleep(ms, { signal: either });
      } finally {
        wakers.delete(wakeUp);
        if (wakers.size === 0) waiting.delete(attemptId);
      }
    },

    async sweep() {
      const ids = localIds(dir);
      if (ids.length === 0) return;
      for (const [attemptId, phase] of await phases(ids)) {
        if (phase === "live") continue;
        if (phase === "missing") await Deno.remove(pathOf(attemptId)).catch(() => {});
        else queue.push(attemptId);
      }
      pump();
    },

    async settle() {
      while (moving.size > 0) await Promise.all(moving);
    },
  };

  function render(state: Growing, first: number, fresh: readonly LogLine[]) {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let bytes = state.bytes;
    for (let i = 0; i < fresh.length; i++) {
      const piece = encodeLine(fresh[i], first + i);
      if (bytes + piece.length > bytesMax) {
        state.full = true;
        pieces.push(fullNote(fresh[i].at, first + i, bytesMax));
        break;
      }
      bytes += piece.length;
      pieces.push(piece);
    }
    return concat(pieces);
  }
}

/** Attempts that have a local file. */
function localIds(dir: string): string[] {
  const ids: string[] = [];
  try {
    for (const day of Deno.readDirSync(dir)) {
      if (!day.isDirectory) continue;
      for (const file of Deno.readDirSync(`${dir}/${day.name}`)) {
        if (file.name.endsWith(".ndjson")) ids.push(file.name.slice(0, -".ndjson".length));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ids;
}

/** State of a log from its file's end; what is half written is cut off. Null: no file. */
function recover(path: string): Growing | null {
  const size = sizeOf(path);
  if (size === null) return null;
  const tail = Math.min(size, 2 * limits.logLineBytes + 2048);
  const bytes = readLocal(path, size - tail, tail)!;
  const lineEnd = bytes.lastIndexOf(10) + 1;
  const whole = size - tail + lineEnd;
  if (whole < size) Deno.truncateSync(path, whole);
  if (lineEnd === 0) return { next: 0, bytes: 0, full: false };
  const lineStart = bytes.subarray(0, lineEnd - 1).lastIndexOf(10) + 1;
  const { lines } = decodeLines(bytes.subarray(lineStart, lineEnd));
  const full = lines[0].from === "worker" && lines[0].message.endsWith(fullNoteEnd);
  return { next: lines[0].n + 1, bytes: whole, full };
}

function sizeOf(path: string): number | null {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Up to `length` bytes from `offset`; null: no such file. */
function readLocal(path: string, offset: number, length: number): Uint8Array | null {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  using _ = file;
  file.seekSync(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const read = file.readSync(buffer.subarray(got));
    if (read === null) break;
    got += read;
  }
  return buffer.subarray(0, got);
}

/** Up to `length` bytes of an object; null: no such object. */
async function readObject(objects: ObjectStore, key: string, offset: number, length: number) {
  const info = await objects.stat(key);
  if (!info) return null;
  const end = Math.min(info.bytes, offset + length);
  if (offset >= end) return new Uint8Array();
  const stream = await objects.stream(key, { start: offset, end });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function diskError(cause: unknown, path: string): unknown {
  const code = (cause as { code?: string }).code;
  if (code !== "ENOSPC" && code !== "EDQUOT") return cause;
  return new AppError("DISK_FULL", `Cannot write the log ${path}: the disk is full`, { cause });
}
