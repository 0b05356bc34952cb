/** @module Addresses and secrets of vendors and stores: table connection. */
import type { ConnectionSecret } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";
import { appendAudit, type AuditEvent } from "./audit_log.ts";
import type { AnySql, Sql } from "./database.ts";
import { redact, type Sealed, type SecretBox, unredact } from "./secrets.ts";

/** A connection as people see it: without the password, its extra redacted. */
export interface ConnectionInfo {
  connectionId: string;
  connType: string;
  description: string | null;
  host: string | null;
  port: number | null;
  schema: string | null;
  login: string | null;
  hasPassword: boolean;
  /** Values of telling names are `***`. */
  extra: Record<string, unknown>;
}

/** A connection to store; what is left out is null, `extra` empty. */
export interface ConnectionInput {
  connectionId: string;
  connType: string;
  description?: string | null;
  host?: string | null;
  port?: number | null;
  schema?: string | null;
  login?: string | null;
  password?: string | null;
  extra?: Record<string, unknown>;
}

interface Row extends Sealed {
  connectionId: string;
  connType: string;
  description: string | null;
  host: string | null;
  port: number | null;
  schema: string | null;
  login: string | null;
}

interface Secret {
  password: string | null;
  extra: Record<string, unknown>;
}

/** Store a new connection; throws CONFLICT where its id is taken. */
export async function createConnection(
  sql: AnySql,
  { connection, box, now }: { connection: ConnectionInput; box: SecretBox; now: Date },
): Promise<void> {
  const row = rowOf(connection, box);
  const made = await sql`
    insert into connection ${sql({ ...row, createdAt: now, updatedAt: now })}
    on conflict (connection_id) do nothing returning 1`;
  if (made.length > 0) return;
  throw new AppError(
    "CONFLICT",
    `Cannot create the connection "${connection.connectionId}": there is one of that name; ` +
      "change that one, or choose another name",
  );
}

/** Store a connection whether or not there was one. */
export async function putConnection(
  sql: AnySql,
  { connection, box, now }: { connection: ConnectionInput; box: SecretBox; now: Date },
): Promise<void> {
  const row = { ...rowOf(connection, box), createdAt: now, updatedAt: now };
  const { connectionId: _id, createdAt: _at, ...rest } = row;
  await sql`
    insert into connection ${sql(row)}
    on conflict (connection_id) do update set ${sql(rest)}`;
}

/**
 * Change the fields that are given; throws NOT_FOUND. Null empties a field, left out keeps it, and so
 * does `***`: who reads a connection and sends it back with another host changes no secret.
 */
export async function updateConnection(
  sql: Sql,
  { connectionId, changes, box, now }: {
    connectionId: string;
    changes: Partial<Omit<ConnectionInput, "connectionId">>;
    box: SecretBox;
    now: Date;
  },
): Promise<void> {
  await sql.begin(async (tx) => {
    const row = await readRow(tx, connectionId, { forUpdate: true });
    const secret = openRow(row, box);
    const { keyId: _k, wrappedKey: _w, sealed: _s, ...plain } = row;
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const known = Object.fromEntries(
      given.map(([field, value]) => [field, unredact(value, secret[field as keyof Secret])]),
    );
    const connection = { ...plain, ...secret, ...known, connectionId };
    await putConnection(tx, { connection, box, now });
  });
}

/** Remove a connection; false where there was none. */
export async function deleteConnection(
  sql: AnySql,
  { connectionId }: { connectionId: string },
): Promise<boolean> {
  const gone = await sql`
    delete from connection where connection_id = ${connectionId} returning 1`;
  return gone.length > 0;
}

/** One connection without its secrets, or null. */
export async function findConnection(
  sql: AnySql,
  { connectionId, box }: { connectionId: string; box: SecretBox },
): Promise<ConnectionInfo | null> {
  const [row] = await sql<Row[]>`
    select * from connection where connection_id = ${connectionId}`;
  return row ? infoOf(row, box) : null;
}

/** Connections without their secrets, by id. `pattern` is one of SQL's `like`. */
export async function listConnections(
  sql: AnySql,
  { box, limit, offset = 0, pattern = "%" }: {
    box: SecretBox;
    limit: number;
    offset?: number;
    pattern?: string;
  },
): Promise<{ connections: ConnectionInfo[]; total: number }> {
  const found = await sql<(Row & { total: number })[]>`
    select *, count(*) over () as total from connection
    where connection_id like ${pattern} order by connection_id limit ${limit} offset ${offset}`;
  return {
    connections: found.map((row) => infoOf(row, box)),
    total: found[0]?.total ?? 0,
  };
}

/**
 * A connection with its secrets in clear. The read goes into the audit log, in the same transaction:
 * no entry, no secret. `reader` says who asks. Throws NOT_FOUND.
 */
export async function readConnectionSecret(
  sql: Sql,
  { connectionId, box, reader, now }: {
    connectionId: string;
    box: SecretBox;
    reader: Omit<AuditEvent, "event" | "extra">;
    now: Date;
  },
): Promise<ConnectionSecret> {
  return await sql.begin(async (tx) => {
    const row = await readRow(tx, connectionId);
    const { password, extra } = openRow(row, box);
    const event = { ...reader, event: "connection.read", extra: { connectionId } };
    await appendAudit(tx, { event, now });
    const { connType, host, port, schema, login } = row;
    return {
      connectionId,
      connType,
      host,
      port,
      schema,
      login,
      password,
      extra: extra as ConnectionSecret["extra"],
    };
  });
}

/** Wrap data keys under an older master key with the newest one; how many changed. */
export async function rewrapConnections(sql: Sql, { box }: { box: SecretBox }): Promise<number> {
  return await sql.begin(async (tx) => {
    const stale = await tx<Row[]>`
      select * from connection where key_id = any(${[...box.olderKeyIds]}) for update`;
    for (const row of stale) {
      const { keyId, wrappedKey } = box.rewrap(ownerOf(row.connectionId), row)!;
      await tx`
        update connection set key_id = ${keyId}, wrapped_key = ${wrappedKey}
        where connection_id = ${row.connectionId}`;
    }
    return stale.length;
  });
}

function ownerOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

function rowOf(connection: ConnectionInput, box: SecretBox): Row {
  const { connectionId, connType, description, host, port, schema, login } = connection;
  const secret: Secret = { password: connection.password ?? null, extra: connection.extra ?? {} };
  return {
    connectionId,
    connType,
    description: description ?? null,
    host: host ?? null,
    port: port ?? null,
    schema: schema ?? null,
    login: login ?? null,
    ...box.seal(ownerOf(connectionId), secret),
  };
}

function openRow(row: Row, box: SecretBox): Secret {
  return box.open(ownerOf(row.connectionId), row) as Secret;
}

async function readRow(
  sql: AnySql,
  connectionId: string,
  { forUpdate = false } = {},
): Promise<Row> {
  const [row] = await sql<Row[]>`
    select connection_id, conn_type, description, host, port, schema, login, key_id, wrapped_key,
      sealed
    from connection where connection_id = ${connectionId} ${forUpdate ? sql`for update` : sql``}`;
  if (row) return row;
  throw new AppError(
    "NOT_FOUND",
    `Cannot read the connection "${connectionId}": there is none of that name`,
  );
}

function infoOf(row: Row, box: SecretBox): ConnectionInfo {
  const { password, extra } = openRow(row, box);
  return {
    connectionId: row.connectionId,
    connType: row.connType,
    description: row.description,
    host: row.host,
    port: row.port,
    schema: row.schema,
    login: row.login,
    hasPassword: password !== null && password !== "",
    extra: redact(extra) as Record<string, unknown>,
  };
}
