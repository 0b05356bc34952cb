import { assertEquals, assertStrictEquals } from "@std/assert";
import { hasCode } from "../model/errors.ts";
import { connect } from "./database.ts";
import { databaseError } from "./errors.ts";

const caught = (work: () => unknown) =>
  Promise.resolve().then(work).then(() => null, (error) => error);

Deno.test("databaseError() tells a missing socket of the server from any other missing file", async () => {
  const sql = connect("postgres://a:b@127.0.0.1:5/x?host=/no/such/folder", { max: 1 });
  const away = await caught(() => sql`select 1`);
  await sql.end({ timeout: 1 });
  assertEquals(hasCode(databaseError(away, "read"), "UNAVAILABLE"), true);

  const file = await caught(() => Deno.readTextFile("/no/such/file"));
  assertStrictEquals(databaseError(file, "read"), file);
});
