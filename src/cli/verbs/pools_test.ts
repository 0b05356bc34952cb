import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../client.ts";
import { windowOf } from "./pools.ts";

Deno.test("windowOf() reads begin, length and days", () => {
  assertEquals(windowOf("22:00 4h sat,SUN"), { from: "22:00", minutes: 240, on: ["SAT", "SUN"] });
  assertEquals(windowOf("02:30 1h15m").minutes, 75);
  assertEquals(windowOf("02:30 30m").on.length, 7);
  for (const bad of ["22:00", "25:00 1h", "22:00 0m", "22:00 1h SOMEDAY", "1h"]) {
    assertThrows(() => windowOf(bad), CliError, '"22:00 4h SAT,SUN"');
  }
});
