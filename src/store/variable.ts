/** @module Named values that DAGs read: table variable. Sealed like secrets, since people put them there. */
import { AppError } from "../model/errors.ts";
import { appendAudit, type AuditEvent } from "./audit_log.ts";
import type { AnySql, Sql } from "./database.ts";
import { isSecretName, type Sealed, type SecretBox } from "./secrets.ts";

/** A variable; the value is any JSON. */
export interface Variable {
  key: string;
  value: unknown;
  description: string | null;
}

type Row = Sealed & { key: string; description: string | null };

/** Store a variable whether or not there was one. */
export async function putVariable(
  sql: AnySql,
  { key, value, description = null, box, now }: {
    key: string;
    value: unknown;
    description?: string | null;
    box: SecretBox;
    now: Date;
  },
): Promise<void> {
  const sealed = box.seal(ownerOf(key), value);
  await sql`
    insert into variable ${sql({ key, description, ...sealed, createdAt: now, updatedAt: now })}
    on conflict (key) do update set ${sql({ description, ...sealed, updatedAt: now })}`;
}

/** Store a new variable; throws CONFLICT where its key is taken. */
export async function createVariable(
  sql: AnySql,
  { key, value, description = null, box, now }: {
    key: string;
    value: unknown;
    description?: string | null;
    box: SecretBox;
    now: Date;
  },
): Promise<void> {
  const sealed = box.seal(ownerOf(key), value);
  const made = await sql`
    insert into variable ${sql({ key, description, ...sealed, createdAt: now, updatedAt: now })}
    on conflict (key) do nothing returning 1`;
  if (made.length > 0) return;
  throw new AppError("CONFLICT", `Cannot create the variable "${key}": there is one of that name`);
}

/** Remove a variable; false where there was none. */
export async function deleteVariable(sql: AnySql, { key }: { key: string }): Promise<boolean> {
  return (await sql`delete from variable where key = ${key} returning 1`).length > 0;
}

/** One variable, or null. For a task use {@link readVariable}. */
export async function findVariable(
  sql: AnySql,
  { key, box }: { key: string; box: SecretBox },
): Promise<Variable | null> {
  const [row] = await sql<Row[]>`select * from variable where key = ${key}`;
  return row ? variableOf(row, box) : null;
}

/** Variables by key. `pattern` is one of SQL's `like`. */
export async function listVariables(
  sql: AnySql,
  { box, limit, offset = 0, pattern = "%" }: {
    box: SecretBox;
    limit: number;
    offset?: number;
    pattern?: string;
  },
): Promise<{ variables: Variable[]; total: number }> {
  const found = await sql<(Row & { total: number })[]>`
    select *, count(*) over () as total from variable
    where key like ${pattern} order by key limit ${limit} offset ${offset}`;
  return { variables: found.map((row) => variableOf(row, box)), total: found[0]?.total ?? 0 };
}

/**
 * The value of a variable for a task. Where the key's name says that it is a secret, the read goes
 * into the audit log in the same transaction. Throws NOT_FOUND.
 */
export async function readVariable(
  sql: Sql,
  { key, box, reader, now }: {
    key: string;
    box: SecretBox;
    reader: Omit<AuditEvent, "event" | "extra">;
    now: Date;
  },
): Promise<unknown> {
  return await sql.begin(async (tx) => {
    const found = await findVariable(tx, { key, box });
    if (!found) {
      throw new AppError("NOT_FOUND", `Cannot read the variable "${key}": there is none`);
    }
    if (isSecretName(key)) {
      const event = { ...reader, event: "variable.read", extra: { key } };
      await appendAudit(tx, { event, now });
    }
    return found.value;
  });
}

/** Wrap data keys under an older master key with the newest one; how many changed. */
export async function rewrapVariables(sql: Sql, { box }: { box: SecretBox }): Promise<number> {
  return await sql.begin(async (tx) => {
    const stale = await tx<Row[]>`
      select * from variable where key_id = any(${[...box.olderKeyIds]}) for update`;
    for (const row of stale) {
      const { keyId, wrappedKey } = box.rewrap(ownerOf(row.key), row)!;
      await tx`
        update variable set key_id = ${keyId}, wrapped_key = ${wrappedKey} where key = ${row.key}`;
    }
    return stale.length;
  });
}

function ownerOf(key: string): string {
  return `variable:${key}`;
}

function variableOf(row: Row, box: SecretBox): Variable {
  return {
    key: row.key,
    value: box.open(ownerOf(row.key), row),
    description: row.description,
  };
}
