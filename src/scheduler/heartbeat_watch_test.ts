import { assertEquals } from "@std/assert";
import { limits } from "../base/limits.ts";
import { HeartbeatWatch } from "./heartbeat_watch.ts";

const beats = (count: number) => new Map([["a", { beats: count, workerId: "w" }]]);
const step = limits.sweepMs;
const steps = limits.heartbeatTimeoutMs / step;

Deno.test("HeartbeatWatch gives an attempt up when its counter stood still for the time-out", () => {
  const watch = new HeartbeatWatch();
  for (let i = 0; i < steps; i++) assertEquals(watch.look(beats(3), i * step), []);
  assertEquals(watch.look(beats(3), steps * step), [
    { attemptId: "a", workerId: "w", stillMs: limits.heartbeatTimeoutMs },
  ]);
});

Deno.test("HeartbeatWatch counts from the last beat", () => {
  const watch = new HeartbeatWatch();
  for (let i = 0; i < steps; i++) watch.look(beats(3), i * step);
  assertEquals(watch.look(beats(4), steps * step), []);
  assertEquals(watch.look(beats(4), (steps + 1) * step), []);
});

Deno.test("HeartbeatWatch holds nothing against workers while nobody could hear them", () => {
  const watch = new HeartbeatWatch();
  watch.look(beats(3), 0);
  assertEquals(watch.look(beats(3), 100 * limits.heartbeatTimeoutMs), []);
});
