import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { dag, type DeadlineOption, slack, task } from "./mod.ts";

const declare = (deadlines: readonly unknown[]) =>
  dag({
    id: "d",
    schedule: null,
    timezone: "America/New_York",
    deadlines: deadlines as readonly DeadlineOption[],
  }, () => {
    task({ id: "a", deadlines: [{ at: "18:30" }] }, () => 1);
  }).spec;

Deno.test("deadlines are data with names of their own", () => {
  const spec = declare([
    { after: "queued", within: { hours: 1 }, notify: slack({ connection: "desk" }) },
    { after: "averageRuntime", within: { minutes: 10 } },
    { at: "18:30 Europe/London" },
    { at: "2026-12-31T18:00", name: "year end" },
    { session: "XNYS", before: "open", by: { minutes: 30 } },
  ]);
  assertEquals(spec.deadlines!.map(({ name, by }) => [name, by.kind]), [
    ["queued + 1h", "queued"],
    ["averageRuntime + 10m", "averageRuntime"],
    ["18:30 Europe/London", "clock"],
    ["year end", "instant"],
    ["XNYS open - 30m", "session"],
  ]);
  assertEquals(spec.deadlines![3].by, { kind: "instant", at: "2026-12-31T23:00:00.000Z" });
  assertEquals(spec.deadlines!.map(({ notify }) => notify.length), [1, 0, 0, 0, 0]);
  assertEquals(spec.tasks[0].deadlines, [
    {
      name: "18:30 America/New_York",
      by: { kind: "clock", time: "18:30", timezone: "America/New_York" },
      notify: [],
    },
  ]);
});

Deno.test("deadlines that cannot be are refused, with what would be right", () => {
  const bad = (deadline: unknown, part: string) =>
    assertThrows(() => declare([deadline]), AppError, part);
  bad({ after: "tea", within: 1 }, "give one of queued, due, started, logicalDate");
  bad({ after: "queued" }, "within");
  bad({ at: "25:00" }, 'give "18:30"');
  bad({ at: "18:30 Europe/Londn" }, "does not exist");
  bad({ session: "XNYS" }, "give before or after");
  bad({ session: "XXXX", after: "close" }, "there are");
  bad({ after: "queued", within: 1, notify: () => {} }, "give webhook(…)");
  bad({ after: "queued", within: 1, runs: 0 }, "there are after, within, name, notify");
  assertThrows(() => declare([]), AppError, "a list of 1 to 20");
  assertThrows(() => declare([{ at: "18:30" }, { at: "18:30" }]), AppError, "twice");
});
