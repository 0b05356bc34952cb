import { assertEquals, assertRejects } from "@std/assert";
import { retryTransaction } from "./retry.ts";

const sqlError = (code: string) => Object.assign(new Error(code), { code });

Deno.test("retryTransaction() tries again after a deadlock, and gives the result", async () => {
  let calls = 0;
  const result = await retryTransaction(() =>
    ++calls < 3 ? Promise.reject(sqlError("40P01")) : Promise.resolve("done")
  );
  assertEquals([result, calls], ["done", 3]);
});

Deno.test("retryTransaction() gives up after a few tries, and at once on other errors", async () => {
  let calls = 0;
  const fail = (code: string) =>
    retryTransaction(() => {
      calls++;
      return Promise.reject(sqlError(code));
    });
  await assertRejects(() => fail("40001"), Error, "40001");
  assertEquals(calls, 4);
  await assertRejects(() => fail("23505"), Error, "23505");
  assertEquals(calls, 5);
});
