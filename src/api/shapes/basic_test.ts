import { assertEquals } from "@std/assert";
import { z } from "zod";
import { Instant, many, paging, QueryFlag, queryInt } from "./basic.ts";

Deno.test("Instant takes what clients write, UTC where no zone is given, and nothing else", () => {
  const good: [string, string][] = [
    ["2030-01-05", "2030-01-05T00:00:00.000Z"],
    ["2030-01-05T10:00", "2030-01-05T10:00:00.000Z"],
    ["2030-01-05 10:00:00", "2030-01-05T10:00:00.000Z"],
    ["2030-01-05T10:00:00.123456Z", "2030-01-05T10:00:00.123Z"],
    ["2030-01-05T10:00:00.5", "2030-01-05T10:00:00.500Z"],
    ["2030-01-05T10:00:00+02:00", "2030-01-05T08:00:00.000Z"],
    ["2030-01-05T10:00:00-0330", "2030-01-05T13:30:00.000Z"],
  ];
  for (const [text, iso] of good) assertEquals(Instant.parse(text).toISOString(), iso, text);
  for (
    const bad of [
      "",
      "now",
      "2030",
      "2030-13-01",
      "0000-01-01",
      "+012030-01-01",
      "1e9",
      "2030-01-05T25:00",
    ]
  ) {
    assertEquals(Instant.safeParse(bad).success, false, bad);
  }
});

Deno.test("queryInt() takes whole numbers within its bounds", () => {
  const limit = queryInt({ min: 1, max: 10 });
  assertEquals(limit.parse("10"), 10);
  for (const bad of ["0", "11", "1.5", "x", "", "99999999999999999999", "0x1"]) {
    assertEquals(limit.safeParse(bad).success, false, bad);
  }
});

Deno.test("many() makes one value a list, and keeps a list", () => {
  const states = many(z.enum(["a", "b"]));
  assertEquals(states.parse("a"), ["a"]);
  assertEquals(states.parse(["a", "b"]), ["a", "b"]);
  assertEquals(states.safeParse("c").success, false);
});

Deno.test("QueryFlag takes what clients write for true and false", () => {
  for (const text of ["true", "True", "1"]) assertEquals(QueryFlag.parse(text), true);
  for (const text of ["false", "False", "0"]) assertEquals(QueryFlag.parse(text), false);
});

Deno.test("paging() orders by the named fields only", () => {
  const Page = z.object(paging(["id", "name"], "id"));
  assertEquals(Page.parse({}), { limit: 50, offset: 0, order_by: ["id"] });
  assertEquals(Page.parse({ order_by: "-name" }).order_by, ["-name"]);
  assertEquals(Page.safeParse({ order_by: "password" }).success, false);
});
