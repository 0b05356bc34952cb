import { assertEquals, assertThrows } from "@std/assert";
import { canonical } from "./json.ts";

const fail = (path: string, problem: string) => new TypeError(`${path} ${problem}`);

Deno.test("canonical() sorts keys at every depth and leaves undefined members out", () => {
  const value = { b: [{ z: 1, a: undefined, c: null }], a: "x" };
  assertEquals(JSON.stringify(canonical(value, fail)), '{"a":"x","b":[{"c":null,"z":1}]}');
});

Deno.test("canonical() names the path of what JSON would change or lose", () => {
  const cases: [unknown, string][] = [
    [{ a: [1n] }, "a[0] is a bigint"],
    [{ a: { b: new Date(0) } }, "a.b is a Date"],
    [{ a: new Map() }, "a is a Map"],
    [{ a: NaN }, "a is NaN"],
    [{ a: () => 1 }, "a is a function"],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => canonical(value, fail), TypeError, message);
  }
});

Deno.test("canonical() refuses a circle instead of looping", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assertThrows(() => canonical(circle, fail), TypeError, "nested deeper than");
});
