import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { appendAudit, listAudit, verifyAudit } from "./audit_log.ts";
import type { Sql } from "./database.ts";

const now = new Date("2030-01-01T00:00:00.123Z");

async function append(sql: Sql, count: number) {
  for (let i = 0; i < count; i++) {
    const event = { event: "dag.pause", actor: "ada", dagId: `d${i}`, extra: { z: 1.5, a: [i] } };
    await appendAudit(sql, { event, now });
  }
}

Deno.test("appendAudit() chains entries and listAudit() gives them newest first", async () => {
  await using db = await testDatabase();
  await append(db.sql, 3);

  const entries = await listAudit(db.sql, { limit: 2 });

  assertEquals(entries.map(({ id, dagId, actor }) => ({ id, dagId, actor })), [
    { id: 3, dagId: "d2", actor: "ada" },
    { id: 2, dagId: "d1", actor: "ada" },
  ]);
  assertEquals(entries[0].previousHash, entries[1].hash);
  assertEquals((await listAudit(db.sql, { limit: 9, dagId: "d0" })).length, 1);
  assertEquals(await verifyAudit(db.sql), { ok: true, entries: 3 });
});

Deno.test("appendAudit() keeps one chain under concurrent writers", async () => {
  await using db = await testDatabase({ max: 8 });

  await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) => appendAudit(db.sql, { event: { event: "e", actor: `a${i}` }, now }),
    ),
  );

  assertEquals(await verifyAudit(db.sql), { ok: true, entries: 40 });
});

Deno.test("appendAudit() of a transaction that is rolled back leaves no gap", async () => {
  await using db = await testDatabase();
  await append(db.sql, 1);

  await assertRejects(() =>
    db.sql.begin(async (tx) => {
      await appendAudit(tx, { event: { event: "e", actor: "a" }, now });
      throw new Error("no");
    })
  );
  await append(db.sql, 1);

  assertEquals(await verifyAudit(db.sql), { ok: true, entries: 2 });
});

Deno.test("verifyAudit() finds a changed, a removed and a cut-off entry", async () => {
  await using db = await testDatabase();
  assertEquals(await verifyAudit(db.sql), { ok: true, entries: 0 });
  await append(db.sql, 5);

  await db.sql`update audit_log set actor = 'eve' where id = 3`;
  assertEquals(await verifyAudit(db.sql), { ok: false, id: 3, reason: "changed" });
  await db.sql`delete from audit_log where id = 3`;
  assertEquals(await verifyAudit(db.sql), { ok: false, id: 3, reason: "missing" });
  await db.sql`delete from audit_log where id >= 3`;
  assertEquals(await verifyAudit(db.sql), { ok: false, id: 3, reason: "missing" });
});
