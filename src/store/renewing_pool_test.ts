import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { openDatabase } from "./database.ts";
import { isLateLoss } from "./renewing_pool.ts";

const end = "select pg_terminate_backend(pg_backend_pid())";

Deno.test("a connection lost inside of a transaction ends neither the process nor the pool", async () => {
  await using db = await testDatabase({ migrated: false });
  const sql = await openDatabase(db.url, { max: 2 });
  for (let i = 0; i < 10; i++) {
    const lost = sql.begin(async (tx) => {
      await tx`select 1`;
      await tx.unsafe(end);
    });
    await assertRejects(() => lost);
    const answers = await Promise.all([1, 2, 3, 4].map((n) => sql`select ${n}::int as n`));
    assertEquals(answers.map(([{ n }]) => n), [1, 2, 3, 4]);
  }
  await sql.end();
});

Deno.test("a transaction that does something else while its connection is lost is told", async () => {
  await using db = await testDatabase({ migrated: false });
  const sql = await openDatabase(db.url, { max: 1 });
  const other = await openDatabase(db.url, { max: 1 });
  const lost = sql.begin(async (tx) => {
    const [{ pid }] = await tx`select pg_backend_pid() as pid`;
    await other`select pg_terminate_backend(${pid})`;
    await other`select pg_sleep(0.05)`;
    await tx`select 1`;
  });
  await assertRejects(() => lost);
  assertEquals((await sql`select 1 as n`)[0].n, 1);
  await Promise.all([sql.end(), other.end()]);
});

Deno.test("statements on other connections go on when one is lost, and listening too", async () => {
  await using db = await testDatabase({ migrated: false });
  const sql = await openDatabase(db.url, { max: 3 });
  const heard: string[] = [];
  const both = Promise.withResolvers<void>();
  await sql.listen("word", (word) => heard.push(word) === 2 && both.resolve());
  await sql`select pg_notify('word', 'before')`;
  const slow = sql`select pg_sleep(0.2), 7 as n`.execute();
  await assertRejects(() => sql.begin((tx) => tx.unsafe(end)));
  assertEquals((await slow)[0].n, 7);
  await sql`select pg_notify('word', 'after')`;
  await both.promise;
  assertEquals(heard, ["before", "after"]);
  await sql.end();
});

Deno.test("the loss of a socket that nobody listens to any more does not end the process", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", resolve);
  const accepted = await listener.accept();
  // A reset, not an end: there are bytes that it has not read.
  socket.write("unread");
  await accepted.read(new Uint8Array(1));
  accepted.close();
  socket.write("more");
  const reason = await promise;
  socket.destroy();
  listener.close();

  assertEquals(isLateLoss(reason), true);
  assertEquals(isLateLoss(new Error("read ECONNRESET")), false);
  assertEquals(isLateLoss(Object.assign(new Error("x"), { code: "CONNECTION_CLOSED" })), false);
  assertEquals(isLateLoss(null), false);
});
