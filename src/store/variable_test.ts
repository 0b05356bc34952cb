import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { AppError } from "../model/errors.ts";
import { listAudit } from "./audit_log.ts";
import { secretBox } from "./secrets.ts";
import {
  createVariable,
  deleteVariable,
  findVariable,
  listVariables,
  putVariable,
  readVariable,
  rewrapVariables,
} from "./variable.ts";

const now = new Date("2030-01-01T00:00:00Z");
const keyA = new Uint8Array(32).fill(1).toBase64();
const box = secretBox([keyA]);
const reader = { actor: "attempt:1" };

Deno.test("variables keep any JSON, sealed", async () => {
  await using db = await testDatabase();

  for (const value of [null, 0, "text", [1], { a_b: false }]) {
    await putVariable(db.sql, { key: "k", value, box, now });
    assertEquals((await findVariable(db.sql, { key: "k", box }))?.value, value);
  }
  await putVariable(db.sql, { key: "k", value: "plain words", box, now });
  const [{ sealed }] = await db.sql`select encode(sealed, 'escape') as sealed from variable`;
  assertEquals(sealed.includes("plain words"), false);
});

Deno.test("listVariables() pages by key", async () => {
  await using db = await testDatabase();
  for (const key of ["b", "a", "c"]) await createVariable(db.sql, { key, value: key, box, now });

  const page = await listVariables(db.sql, { box, limit: 2, offset: 1 });

  assertEquals([page.variables.map(({ key }) => key), page.total], [["b", "c"], 3]);
});

Deno.test("createVariable() refuses a taken key, deleteVariable() frees it", async () => {
  await using db = await testDatabase();
  await createVariable(db.sql, { key: "k", value: 1, box, now });

  const again = () => createVariable(db.sql, { key: "k", value: 2, box, now });

  assertEquals((await assertRejects(again, AppError)).code, "CONFLICT");
  assertEquals(await deleteVariable(db.sql, { key: "k" }), true);
  assertEquals(await deleteVariable(db.sql, { key: "k" }), false);
  assertEquals(await findVariable(db.sql, { key: "k", box }), null);
});

Deno.test("readVariable() writes down who read one that is named like a secret", async () => {
  await using db = await testDatabase();
  await putVariable(db.sql, { key: "vendor_token", value: "x", box, now });
  await putVariable(db.sql, { key: "region", value: "eu", box, now });

  assertEquals(await readVariable(db.sql, { key: "region", box, reader, now }), "eu");
  assertEquals(await readVariable(db.sql, { key: "vendor_token", box, reader, now }), "x");

  const entries = await listAudit(db.sql, { limit: 9 });
  assertEquals(entries.map(({ event, extra }) => [event, extra.key]), [[
    "variable.read",
    "vendor_token",
  ]]);
  await assertRejects(
    () => readVariable(db.sql, { key: "no", box, reader, now }),
    AppError,
    "none",
  );
});

Deno.test("rewrapVariables() makes the old master key unneeded", async () => {
  await using db = await testDatabase();
  await putVariable(db.sql, { key: "k", value: 1, box, now });
  const keyB = new Uint8Array(32).fill(2).toBase64();

  assertEquals(await rewrapVariables(db.sql, { box: secretBox([keyB, keyA]) }), 1);

  assertEquals((await findVariable(db.sql, { key: "k", box: secretBox([keyB]) }))?.value, 1);
});
