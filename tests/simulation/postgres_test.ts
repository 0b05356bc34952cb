import { assertEquals } from "@std/assert";
import { simulateOnPostgres } from "./postgres.ts";

Deno.test("seeded histories come to the same on PostgreSQL as in memory, and again", async () => {
  const done = await simulateOnPostgres({ histories: 6, seed: 1 });
  const [again] = await simulateOnPostgres({ histories: 1, seed: 1 });
  assertEquals(again.hash, done[0].hash);
});
