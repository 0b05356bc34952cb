import { assertEquals, assertThrows } from "@std/assert";
import { bytesOf, durationMs } from "./duration.ts";

Deno.test("durationMs() sums named parts and takes plain milliseconds", () => {
  assertEquals(durationMs({ hours: 1, minutes: 30, seconds: 0.5 }, "x"), 5_400_500);
  assertEquals(durationMs(250, "x"), 250);
});

Deno.test("durationMs() refuses what is no length of time, and says what would be", () => {
  for (const bad of [-1, NaN, Infinity, { weeks: 1 }, { minutes: "5" }, null, "5m"]) {
    assertThrows(
      () => durationMs(bad as never, "retryDelay"),
      RangeError,
      "give milliseconds or { seconds, minutes, hours, days }, 0 or more",
    );
  }
});

Deno.test("bytesOf() sums named parts", () => {
  assertEquals(bytesOf({ gib: 1, mib: 1 }, "memory"), 2 ** 30 + 2 ** 20);
  assertThrows(() => bytesOf({ gb: 1 } as never, "memory"), RangeError, "memory is");
});
