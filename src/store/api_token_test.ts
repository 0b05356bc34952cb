import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import {
  createToken,
  findToken,
  isTokenKnown,
  listTokens,
  revokeToken,
  touchToken,
} from "./api_token.ts";

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
  assertEquals((await revokeToken(db.sql, { id: made.row.id, now }))?.revokedAt, now);
  assertEquals(await revokeToken(db.sql, { id: made.row.id, now }), null);
  assertEquals(await findToken(db.sql, { token: "tw_given", now }), null);
  assertEquals(await isTokenKnown(db.sql, { token: "tw_given" }), true);
});

Deno.test("listTokens() gives all tokens, or those that are alive", async () => {
  await using db = await testDatabase();
  const add = (name: string, expiresAt: Date | null) =>
    createToken(db.sql, { name, role: "user", ids, now, expiresAt });
  await add("b", after(1000));
  const revoked = await add("c", null);
  await add("a", null);
  await revokeToken(db.sql, { id: revoked.row.id, now });
  const names = async (aliveAt: Date | null, limit = 9) => {
    const page = { limit, offset: 0, orderBy: ["name"] };
    const { items, total } = await listTokens(db.sql, { aliveAt }, page);
    return [items.map(({ name }) => name).join(""), total];
  };

  assertEquals(await names(null), ["abc", 3]);
  assertEquals(await names(null, 1), ["a", 3]);
  assertEquals(await names(now), ["ab", 2]);
  assertEquals(await names(after(1000)), ["a", 1]);
});

Deno.test("createToken() keeps the queues of a worker's token, and of no other", async () => {
  await using db = await testDatabase();
  const worker = { name: "w", role: "worker", ids, now };
  const { token } = await createToken(db.sql, { ...worker, queues: ["merger", "x"] });

  assertEquals((await findToken(db.sql, { token, now }))?.queues, ["merger", "x"]);
  await assertRejects(() => createToken(db.sql, worker));
  await assertRejects(() => createToken(db.sql, { ...worker, role: "admin", queues: ["x"] }));
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
