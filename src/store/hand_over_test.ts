import { assertEquals } from "@std/assert";
import { HandOver } from "./hand_over.ts";
import type { Claimed } from "./port.ts";

/** A waiting claim that notes what it is told. */
function placeOf(workerId: string, slots: number, queues = ["*"]) {
  const told: string[][] = [];
  return {
    claimer: { workerId, hostname: "h", pid: 1 },
    queues: new Set(queues),
    slots,
    deliver: (started: readonly Claimed[]) => void told.push(started.map((s) => s.attempt.id)),
    told,
  };
}

const started = (...ids: string[]) => ids.map((id) => ({ attempt: { id } }) as Claimed);

Deno.test("promises go round the claims of a queue, each up to its slots", () => {
  const handOver = new HandOver();
  const [one, two, other] = [placeOf("one", 1), placeOf("two", 2, ["q"]), placeOf("x", 9, ["y"])];
  for (const place of [one, two, other]) handOver.open(place);
  const promised = ["a", "b", "c", "d"].map((id) => handOver.promise("q", id)?.workerId ?? null);
  assertEquals(promised, ["one", "two", "two", null]);
  handOver.settle(started("a", "c"));
  assertEquals([one.told, two.told, other.told], [[["a"]], [["c"]], []]);
});

Deno.test("a claim that was promised something is told once, also when it waits no longer", () => {
  const handOver = new HandOver();
  const place = placeOf("one", 2);
  handOver.open(place);
  handOver.promise("q", "a");
  assertEquals(handOver.close(place), true);
  assertEquals(handOver.promise("q", "b"), null);
  handOver.settle([]);
  assertEquals(place.told, [[]]);
  assertEquals(handOver.close(place), false);
  handOver.settle(started("a"));
  assertEquals(place.told, [[]]);
});
