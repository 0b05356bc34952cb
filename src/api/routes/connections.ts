/** @module Routes of connections; secrets go in and never come out. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  type ConnectionInfo,
  createConnection,
  deleteConnection,
  findConnection,
  listConnections,
  updateConnection,
} from "../../store/connection.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { ConnectionBody, ConnectionCollection, ConnectionShape } from "../shapes/admin.ts";
import { Name, paging, Text, UpdateMask } from "../shapes/basic.ts";
import { likeOf } from "./variables.ts";

const tag = "Connections";
const Path = z.object({ connection_id: Name });
type Body = z.output<typeof ConnectionBody>;

/** Add them. */
export function addConnectionRoutes(book: RouteBook, { sql, secrets: box, clock }: Rest): void {
  const required = async (connectionId: string) => {
    const found = await findConnection(sql, { connectionId, box });
    if (found) return found;
    throw new AppError("NOT_FOUND", `Cannot find the connection "${connectionId}"`);
  };

  book.add({
    method: "get",
    path: "/api/v2/connections",
    permission: "connections.read",
    tag,
    summary: "List connections, without their secrets",
    query: z.object({
      connection_id_pattern: Text.optional(),
      ...paging(["connection_id", "id"], "connection_id"),
    }),
    returns: ConnectionCollection,
  }, async ({ query }) => {
    const { limit, offset } = pageOf(query);
    const { connections, total } = await listConnections(sql, {
      box,
      limit,
      offset,
      pattern: likeOf(query.connection_id_pattern),
    });
    return { connections: connections.map(view), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/connections",
    permission: "connections.edit",
    tag,
    summary: "Create a connection",
    body: ConnectionBody,
    returns: ConnectionShape,
    status: 201,
    event: "connection.create",
  }, async ({ body }) => {
    const connection = {
      connectionId: body.connection_id,
      connType: body.conn_type,
      ...fieldsOf(body),
    };
    await createConnection(sql, { connection, box, now: clock.now() });
    return view(await required(body.connection_id));
  });

  book.add({
    method: "get",
    path: "/api/v2/connections/{connection_id}",
    permission: "connections.read",
    tag,
    summary: "Look at a connection, without its secrets",
    params: Path,
    returns: ConnectionShape,
  }, async ({ params }) => view(await required(params.connection_id)));

  book.add({
    method: "patch",
    path: "/api/v2/connections/{connection_id}",
    permission: "connections.edit",
    tag,
    summary: "Change a connection; a password that is left out stays",
    params: Path,
    query: z.object(UpdateMask),
    body: ConnectionBody,
    returns: ConnectionShape,
    event: "connection.patch",
  }, async ({ params: { connection_id: connectionId }, query, body }) => {
    await required(connectionId);
    if (body.connection_id !== connectionId) {
      throw new AppError("INVALID", `Cannot rename the connection "${connectionId}"`);
    }
    const all = { connType: body.conn_type, ...fieldsOf(body) };
    const named: Record<string, string> = { conn_type: "connType" };
    const changes = Object.fromEntries(
      Object.entries(all).filter(([field, value]) =>
        value !== undefined &&
        (!query.update_mask || query.update_mask.some((name) => (named[name] ?? name) === field))
      ),
    );
    await updateConnection(sql, { connectionId, changes, box, now: clock.now() });
    return view(await required(connectionId));
  });

  book.add({
    method: "delete",
    path: "/api/v2/connections/{connection_id}",
    permission: "connections.edit",
    tag,
    summary: "Delete a connection",
    params: Path,
    returns: null,
    event: "connection.delete",
  }, async ({ params: { connection_id: connectionId } }) => {
    if (!await deleteConnection(sql, { connectionId })) await required(connectionId);
  });
}

function fieldsOf({ description, host, login, schema, port, password, extra }: Body) {
  return {
    description,
    host,
    login,
    schema,
    port,
    password,
    extra: extra == null || extra === "" ? undefined : parseExtra(extra),
  };
}

function parseExtra(text: string): Record<string, unknown> {
  let extra: unknown;
  try {
    extra = JSON.parse(text);
  } catch {
    extra = null;
  }
  if (extra !== null && typeof extra === "object" && !Array.isArray(extra)) {
    return extra as Record<string, unknown>;
  }
  throw new AppError(
    "INVALID",
    "Cannot use the connection's extra: it is not a JSON object as text",
  );
}

function view(connection: ConnectionInfo): z.input<typeof ConnectionShape> {
  return {
    connection_id: connection.connectionId,
    conn_type: connection.connType,
    description: connection.description,
    host: connection.host,
    login: connection.login,
    schema: connection.schema,
    port: connection.port,
    password: connection.hasPassword ? "***" : null,
    extra: JSON.stringify(connection.extra),
    team_name: null,
  };
}
