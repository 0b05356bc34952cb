import { assertEquals, assertThrows } from "@std/assert";
import { createTracer, newTraceParent, parseTraceParent } from "./trace.ts";

const parent = newTraceParent("0123456789abcdef".repeat(3));

Deno.test("newTraceParent() makes a sampled W3C trace context", () => {
  assertEquals(parent, "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
  assertEquals(parseTraceParent(parent), parent);
});

Deno.test("parseTraceParent() refuses other shapes and all zeros", () => {
  for (
    const bad of [
      null,
      "",
      "00-xyz",
      parent.replace("00-", "ff-"),
      parent.replace(/-0.*?-/, `-${"0".repeat(32)}-`),
    ]
  ) {
    assertEquals(parseTraceParent(bad), null);
  }
});

Deno.test("span() passes values, promises and errors through, on and off", async () => {
  for (const enabled of [true, false]) {
    const tracer = createTracer({ enabled });
    assertEquals(tracer.span("a", {}, parent, () => 1), 1);
    assertEquals(await tracer.span("a", { x: 1 }, null, () => Promise.resolve(2)), 2);
    assertThrows(() =>
      tracer.span("a", {}, null, () => {
        throw new TypeError("no");
      }), TypeError);
  }
});

Deno.test("span() gives its parent's context on when traces are off", () => {
  const tracer = createTracer({ enabled: false });
  assertEquals(tracer.span("a", {}, parent, (span) => span.traceParent), parent);
});
