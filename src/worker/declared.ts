/** @module What a task declared, against what it asks for. */
import type { ConnectionSecret } from "../contract/execution.ts";
import type { PermissionsSpec, TaskSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";

const PREFIX = "connection:";

/** Throws FORBIDDEN, with how to declare it, when the task did not declare this connection. */
export function checkConnection(task: TaskSpec, connectionId: string): void {
  if (task.connections.includes(connectionId)) return;
  const has = task.connections.map((id) => `"${id}"`).join(", ") || "none";
  throw new AppError(
    "FORBIDDEN",
    `Cannot use connection "${connectionId}" in task "${task.taskId}": it declares ${has}; ` +
      `add connections: ["${connectionId}"] to the task`,
    { detail: { connectionId } },
  );
}

/**
 * The task's permissions as a process is started with them: `connection:<id>` stands for the host of
 * that connection in `net`, for its `extra.path` in `read` and `write`.
 */
export async function resolvePermissions(
  task: TaskSpec,
  connect: (connectionId: string) => Promise<ConnectionSecret>,
): Promise<PermissionsSpec> {
  const { net, read, write } = task.permissions;
  if (![...net, ...read, ...write].some((entry) => entry.startsWith(PREFIX))) {
    return task.permissions;
  }
  const resolve = async (entries: readonly string[], of: (c: ConnectionSecret) => string[]) => {
    const resolved = entries.map(async (entry) => {
      if (!entry.startsWith(PREFIX)) return [entry];
      return of(await connect(entry.slice(PREFIX.length)));
    });
    return (await Promise.all(resolved)).flat();
  };
  return {
    ...task.permissions,
    net: await resolve(net, hostOf),
    read: await resolve(read, pathOf),
    write: await resolve(write, pathOf),
  };
}

/** `host:port`; without a port in the connection or its URL: the host with any port. */
function hostOf({ host, port }: ConnectionSecret): string[] {
  if (!host) return [];
  if (!host.includes("://")) return [port === null ? host : `${bare(host)}:${port}`];
  if (!URL.canParse(host)) return [];
  const url = new URL(host);
  const known = port ?? (url.port || null);
  return [known === null ? url.hostname : `${url.hostname}:${known}`];
}

/** An IPv6 address needs brackets before a port. */
function bare(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function pathOf({ connectionId, extra }: ConnectionSecret): string[] {
  const { path } = extra;
  if (typeof path === "string" && path.startsWith("/")) return [path];
  throw new AppError(
    "INVALID",
    `Cannot open the folder of connection "${connectionId}": its extra.path is ` +
      `${JSON.stringify(path) ?? "missing"}, not an absolute path`,
  );
}
