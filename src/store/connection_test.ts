import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { AppError } from "../model/errors.ts";
import { listAudit } from "./audit_log.ts";
import {
  createConnection,
  deleteConnection,
  findConnection,
  listConnections,
  putConnection,
  readConnectionSecret,
  rewrapConnections,
  updateConnection,
} from "./connection.ts";
import { secretBox } from "./secrets.ts";

const now = new Date("2030-01-01T00:00:00Z");
const keyA = new Uint8Array(32).fill(1).toBase64();
const keyB = new Uint8Array(32).fill(2).toBase64();
const box = secretBox([keyA]);
const reader = { actor: "attempt:1", dagId: "eod", runId: "r", taskId: "collect", tryNumber: 1 };
const vendor = {
  connectionId: "vendor",
  connType: "http",
  host: "api.example.com",
  port: 443,
  login: "me",
  password: "hunter2",
  extra: { api_key: "k-123", region: "eu" },
};

Deno.test("readConnectionSecret() gives the secret and writes down who read it", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });

  const secret = await readConnectionSecret(db.sql, { connectionId: "vendor", box, reader, now });

  assertEquals(secret, { ...vendor, schema: null });
  const [entry] = await listAudit(db.sql, { limit: 1 });
  assertEquals([entry.event, entry.actor, entry.taskId], [
    "connection.read",
    "attempt:1",
    "collect",
  ]);
  assertEquals(entry.extra, { connectionId: "vendor" });
});

Deno.test("connections are stored without a secret in clear", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });

  const [{ text }] = await db.sql`select connection::text as text from connection`;
  const [{ sealed }] = await db.sql`select encode(sealed, 'escape') as sealed from connection`;

  for (const secret of ["hunter2", "k-123"]) {
    assertEquals(text.includes(secret) || sealed.includes(secret), false);
  }
});

Deno.test("findConnection() and listConnections() show no secret", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });
  await putConnection(db.sql, { connection: { connectionId: "b", connType: "file" }, box, now });

  const found = await findConnection(db.sql, { connectionId: "vendor", box });
  const listed = await listConnections(db.sql, { box, limit: 1, pattern: "v%" });

  assertEquals(found?.extra, { api_key: "***", region: "eu" });
  assertEquals([found?.hasPassword, JSON.stringify(found).includes("hunter2")], [true, false]);
  assertEquals(listed, { connections: [found!], total: 1 });
  assertEquals(await findConnection(db.sql, { connectionId: "none", box }), null);
});

Deno.test("updateConnection() keeps what is not given", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });

  await updateConnection(db.sql, {
    connectionId: "vendor",
    changes: { host: "other.example.com", login: null, port: undefined },
    box,
    now,
  });

  const secret = await readConnectionSecret(db.sql, { connectionId: "vendor", box, reader, now });
  assertEquals(secret, { ...vendor, schema: null, host: "other.example.com", login: null });
});

Deno.test("updateConnection() keeps secrets that come back as they are shown", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });
  const shown = await findConnection(db.sql, { connectionId: "vendor", box });

  const extra = { ...shown!.extra, region: "us", new_token: "n" };
  const changes = { password: "***", extra };
  await updateConnection(db.sql, { connectionId: "vendor", changes, box, now });

  const secret = await readConnectionSecret(db.sql, { connectionId: "vendor", box, reader, now });
  assertEquals([secret.password, secret.extra], [
    "hunter2",
    { api_key: "k-123", region: "us", new_token: "n" },
  ]);
});

Deno.test("createConnection() refuses a name that is taken; deleteConnection() frees it", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });

  const error = await assertRejects(
    () => createConnection(db.sql, { connection: vendor, box, now }),
    AppError,
    '"vendor"',
  );

  assertEquals(error.code, "CONFLICT");
  assertEquals(await deleteConnection(db.sql, { connectionId: "vendor" }), true);
  assertEquals(await deleteConnection(db.sql, { connectionId: "vendor" }), false);
  await assertRejects(
    () => readConnectionSecret(db.sql, { connectionId: "vendor", box, reader, now }),
    AppError,
    "there is none",
  );
  assertEquals(await listAudit(db.sql, { limit: 1 }), []);
});

Deno.test("readConnectionSecret() refuses a row put under another name, and writes no entry", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });
  await db.sql`update connection set connection_id = 'mine'`;

  const error = await assertRejects(
    () => readConnectionSecret(db.sql, { connectionId: "mine", box, reader, now }),
    AppError,
  );

  assertEquals(error.code, "CORRUPT");
  assertEquals(await listAudit(db.sql, { limit: 1 }), []);
});

Deno.test("rewrapConnections() makes the old master key unneeded", async () => {
  await using db = await testDatabase();
  await createConnection(db.sql, { connection: vendor, box, now });

  assertEquals(await rewrapConnections(db.sql, { box: secretBox([keyB, keyA]) }), 1);

  const onlyB = secretBox([keyB]);
  const secret = await readConnectionSecret(db.sql, {
    connectionId: "vendor",
    box: onlyB,
    reader,
    now,
  });
  assertEquals(secret.password, "hunter2");
  assertEquals(await rewrapConnections(db.sql, { box: onlyB }), 0);
});
