import { assertEquals, assertMatch } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import { createToken, findToken, listTokens, revokeToken, touchToken } from "./api_token.ts";

const now = new Date("2030-01-01T00:00:00Z");
const ids = seededIds(new VirtualClock(), seededRandom(1));
const after = (ms: number) => new Date(now.getTime() + ms);

Deno.test("findToken() knows a token by its hash alone", async () => {
  await using db = await testDatabase();
  const { token, row } = await createToken(db.sql, { name: "ci", role: "admin", ids, now });

  assertMatch(token, /^tw_[\w-]{43}$/);
  assertEquals(await findToken(db.sql, { token, now }), row);
  assertEquals(await findToken(db.sql, { token: `${token}x`, now }), null);
  const [{ text }] = await db.sql`select api_token::text as text from api_token`;
  assertEquals(text.includes(token), false);
});

Deno.test("findToken() refuses tokens that are revoked or expired", async () => {
  await using db = await testDatabase();
  const made = await createToken(db.sql, {
    name: "short",
    role: "viewer",
    ids,
    now,
    expiresAt: after(1000),
    token: "tw_given",
  });

  assertEquals((await findToken(db.sql, { token: "tw_given", now: after(999) }))?.role, "viewer");
  assertEquals(await findToken(db.sql, { token: "tw_given", now: after(1000) }), null);
  assertEquals(await revokeToken(db.sql, { id: made.row.id, now }), true);
  assertEquals(await revokeToken(db.sql, { id: made.row.id, now }), false);
  assertEquals(await findToken(db.sql, { token: "tw_given", now }), null);
  assertEquals((await listTokens(db.sql, { limit: 9 }))[0].revokedAt, now);
});

Deno.test("touchToken() writes at most once a minute", async () => {
  await using db = await testDatabase();
  const { token, row } = await createToken(db.sql, { name: "ci", role: "admin", ids, now });

  await touchToken(db.sql, { row, now });
  const used = (await findToken(db.sql, { token, now }))!;
  await touchToken(db.sql, { row: used, now: after(59_000) });
  assertEquals((await findToken(db.sql, { token, now }))?.lastUsedAt, now);
  await touchToken(db.sql, { row: used, now: after(60_000) });
  assertEquals((await findToken(db.sql, { token, now }))?.lastUsedAt, after(60_000));
});
