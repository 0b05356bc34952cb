/**
 * @module A pool of connections that outlives the loss of them. See docs/decisions/0021-lost-connections.md.
 */
import type postgres from "postgres";

/** Makes a pool; it must call these. */
export type OpenPool = (
  on: { onclose: () => void; onparameter: () => void },
) => postgres.Sql;

/** Statements that run on sound connections of a pool that is given up have this long to end. */
const DRAIN_S = 5;

interface Pool {
  sql: postgres.Sql;
  /** One of its connections has got through. */
  hasConnected: boolean;
}

/**
 * One `Sql` over pools of which a new one takes over when a connection of the newest is lost. What
 * was under way on the lost connection fails, as ever.
 */
export function renewingPool(open: OpenPool): postgres.Sql {
  surviveLateErrors();
  let isEnding = false;
  /** It listens by a connection of its own, which it opens again by itself. */
  let listener: postgres.Sql | null = null;
  let current = openOne();

  function openOne(): Pool {
    const pool: Pool = {
      sql: open({
        onclose: () => pool === current && !isEnding && renew(),
        onparameter: () => pool.hasConnected = true,
      }),
      hasConnected: false,
    };
    return pool;
  }

  function renew() {
    const lost = current;
    current = openOne();
    // One that never got through has nothing to end: whoever waits for it is told by its errors.
    if (lost.hasConnected) lost.sql.end({ timeout: DRAIN_S }).catch(() => {});
  }

  const own: Partial<postgres.Sql> = {
    listen: (...given: Parameters<postgres.Sql["listen"]>) => {
      listener ??= open({ onclose: () => {}, onparameter: () => {} });
      return listener.listen(...given);
    },
    async end(options) {
      isEnding = true;
      await Promise.all([current.sql.end(options), listener?.end(options)]);
    },
  };
  return new Proxy(current.sql, {
    apply: (_target, _this, given) =>
      (current.sql as unknown as (...given: unknown[]) => unknown)(...given),
    get: (_target, name) =>
      own[name as keyof typeof own] ?? current.sql[name as keyof postgres.Sql],
  });
}

let survives = false;

/**
 * The driver writes in a later turn of the event loop, also to a connection that was lost until then,
 * and listens no more to a connection that it has closed: what comes of either would end the process.
 * Nobody waits for it: whoever used the connection was told that it is gone.
 */
function surviveLateErrors(): void {
  if (survives) return;
  survives = true;
  globalThis.addEventListener("error", (event) => {
    if (isLateWrite(event.error)) event.preventDefault();
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (isLateLoss(event.reason)) event.preventDefault();
  });
}

function isLateWrite(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("reading 'write'") &&
    /nextWrite.*\/postgres\//.test(error.stack ?? "");
}

/** A socket's own error: reset by the other side while it was read or written. */
export function isLateLoss(reason: unknown): boolean {
  const { code, syscall } = (reason ?? {}) as { code?: string; syscall?: string };
  return reason instanceof Error && (code === "ECONNRESET" || code === "EPIPE") &&
    (syscall === "read" || syscall === "write");
}
