import { assert, assertEquals } from "@std/assert";
import { limits } from "../base/limits.ts";
import { AttemptLog } from "./attempt_log.ts";

const log = () => new AttemptLog({ now: () => new Date(0), onLine: () => {} });
const line = (message: string) => ({ level: "INFO" as const, from: "task" as const, message });

Deno.test("AttemptLog numbers lines from 0, whatever was sent before", () => {
  const lines = log();
  lines.add(line("a"));
  lines.add(line("b"));
  assertEquals([lines.peek().from, lines.peek().lines.length], [0, 2]);
  lines.sent(1);
  lines.add(line("c"));
  assertEquals([lines.peek().from, lines.peek().lines.map((l) => l.message)], [1, ["b", "c"]]);
});

Deno.test("AttemptLog cuts a long line, and keeps none past the limit of the log", () => {
  const lines = log();
  lines.add(line("x".repeat(limits.logLineBytes + 5)));
  assert(lines.peek().lines[0].message.endsWith(`… (${limits.logLineBytes + 5} characters)`));

  const most = Math.ceil(limits.logBytes / limits.logLineBytes) + 10;
  for (let i = 0; i < most; i++) {
    lines.add(line("y".repeat(limits.logLineBytes)));
    lines.sent(lines.lineCount - 1);
  }
  const [last] = lines.peek().lines;
  assertEquals(last.from, "worker");
  assert(last.message.includes("reached its limit"), last.message.slice(0, 100));
});

Deno.test("AttemptLog holds its writer up while too much waits to be sent", async () => {
  const lines = log();
  while (!lines.pressure()) lines.add(line("x".repeat(limits.logLineBytes)));
  const room = lines.pressure()!;
  lines.sent(lines.lineCount);
  await room;
  assertEquals(lines.pressure(), null);
});
