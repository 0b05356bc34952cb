import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Cap,
  type Demand,
  PASSED_OVER_SLOTS_MAX,
  ReadyQueue,
  type Waiting,
} from "./ready_queue.ts";

interface Item extends Waiting {
  name: string;
}

function item(name: string, some: Partial<Demand> = {}): Item {
  const demand = { pool: "p", slots: 1, priority: 1, dagId: "d", run: "r", caps: [], ...some };
  return { name, demand, place: null };
}

/** Names of those picked. */
function pick(queue: ReadyQueue, limit: number): string[] {
  const names: string[] = [];
  queue.pick(limit, (waiting) => {
    queue.remove(waiting);
    queue.occupy(waiting.demand);
    names.push((waiting as Item).name);
  });
  return names;
}

function queueOf(slots: number, ...items: Item[]): ReadyQueue {
  const queue = new ReadyQueue();
  queue.setPool("p", slots);
  for (const each of items) queue.add(each);
  return queue;
}

Deno.test("ReadyQueue gives higher priorities their turn first, equal ones in order", () => {
  const queue = queueOf(
    -1,
    item("low"),
    item("high", { priority: 9 }),
    item("low2"),
    item("mid", { priority: 5 }),
  );
  assertEquals(pick(queue, 10), ["high", "mid", "low", "low2"]);
});

Deno.test("ReadyQueue lets DAGs, then their runs, take turns", () => {
  const queue = queueOf(-1);
  for (const i of [1, 2, 3]) queue.add(item(`a${i}`, { dagId: "a", run: "a" }));
  for (const i of [1, 2]) queue.add(item(`b${i}`, { dagId: "b", run: "b" }));
  for (const i of [1, 2]) queue.add(item(`c${i}`, { dagId: "b", run: "c" }));
  assertEquals(pick(queue, 4), ["a1", "b1", "a2", "c1"]);
  assertEquals(pick(queue, 9), ["a3", "b2", "c2"]);
});

Deno.test("ReadyQueue keeps to a pool's slots and does not let a full pool hold up another", () => {
  const queue = queueOf(2, item("1"), item("2"), item("3"), item("other", { pool: "q" }));
  queue.setPool("q", 1);
  assertEquals(pick(queue, 10).toSorted(), ["1", "2", "other"]);
  assertEquals(pick(queue, 10), []);
  queue.release(item("1").demand);
  assertEquals(pick(queue, 10), ["3"]);
});

Deno.test("ReadyQueue holds a pool for the large task whose turn it is", () => {
  const queue = queueOf(4);
  queue.add(item("large", { slots: 3, run: "x" }));
  for (let i = 0; i < 8; i++) queue.add(item(`s${i}`));
  assertEquals(pick(queue, 10), ["s0", "s1"]);
  queue.release(item("").demand);
  assertEquals(pick(queue, 10), ["large"]);
  assertEquals(pick(queue, 10), []);
});

Deno.test("ReadyQueue lets no task wait for more slots than its pool has in the way of others", () => {
  const queue = queueOf(2, item("huge", { slots: 5, priority: 9 }), item("small"));
  assertEquals(pick(queue, 10), ["small"]);
  assertEquals(queue.pools()[0].oversized, 1);
  queue.setPool("p", 8);
  assertEquals(pick(queue, 10), ["huge"]);
});

Deno.test("ReadyQueue starts nothing in a pool that does not exist, nor with no slots", () => {
  const queue = new ReadyQueue();
  queue.add(item("1"));
  assertEquals(pick(queue, 10), []);
  queue.setPool("p", 0);
  assertEquals(pick(queue, 10), []);
  queue.setPool("p", 1);
  assertEquals(pick(queue, 10), ["1"]);
});

Deno.test("ReadyQueue sets a DAG aside while it is paused or at its limit", () => {
  const queue = queueOf(-1, item("a1", { dagId: "a" }), item("a2", { dagId: "a" }), item("b1"));
  queue.setDag("a", { maxActiveTasks: 1, isPaused: true });
  assertEquals(pick(queue, 10), ["b1"]);
  queue.setDag("a", { maxActiveTasks: 1, isPaused: false });
  assertEquals(pick(queue, 10), ["a1"]);
  queue.release(item("", { dagId: "a" }).demand);
  assertEquals(pick(queue, 10), ["a2"]);
});

Deno.test("ReadyQueue forgets what was removed, and takes it again", () => {
  const [a, b] = [item("a"), item("b")];
  const queue = queueOf(-1, a, b);
  queue.remove(a);
  queue.remove(b);
  queue.add(a);
  assertEquals(pick(queue, 10), ["a"]);
  assertEquals(queue.pools()[0].waiting, 0);
});

const anyItems = fc.array(
  fc.record({
    pool: fc.constantFrom("p", "q"),
    slots: fc.integer({ min: 1, max: 4 }),
    priority: fc.integer({ min: 1, max: 3 }),
    dagId: fc.constantFrom("a", "b", "c"),
    run: fc.constantFrom(1, 2, 3),
  }),
  { minLength: 1, maxLength: 60 },
);

Deno.test("ReadyQueue never exceeds pools or DAG limits, and lets everything start in the end", () => {
  fc.assert(fc.property(
    anyItems,
    fc.integer({ min: 4, max: 9 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 7 }),
    (demands, slots, maxActiveTasks, limit) => {
      const queue = queueOf(slots, ...demands.map((demand, i) => item(`${i}`, demand)));
      queue.setPool("q", slots + 3);
      for (const dagId of ["a", "b", "c"]) queue.setDag(dagId, { maxActiveTasks, isPaused: false });
      const running: Demand[] = [];
      const seen = new Set<string>();
      for (let pass = 0; pass < 4 * demands.length + 4; pass++) {
        queue.pick(limit, (waiting) => {
          queue.remove(waiting);
          queue.occupy(waiting.demand);
          running.push(waiting.demand);
          seen.add((waiting as Item).name);
        });
        const used = (pool: string) =>
          running.filter((d) => d.pool === pool).reduce((sum, d) => sum + d.slots, 0);
        assertEquals(used("p") <= slots && used("q") <= slots + 3, true);
        for (const dagId of ["a", "b", "c"]) {
          assertEquals(running.filter((d) => d.dagId === dagId).length <= maxActiveTasks, true);
        }
        const ended = running.shift();
        if (ended) queue.release(ended);
      }
      assertEquals(seen.size, demands.length);
    },
  ));
});

Deno.test("ReadyQueue gives every run of equal priority its turn within as many as there are runs", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 30 })), {
      minLength: 2,
      maxLength: 12,
    }),
    (runs) => {
      const queue = queueOf(1);
      runs.forEach(([dagId, size], run) => {
        for (let i = 0; i < size; i++) queue.add(item(`${run}`, { dagId, run }));
      });
      const dags = new Set(runs.map(([dagId]) => dagId)).size;
      const runsOf = (dagId: string) => runs.filter(([id]) => id === dagId).length;
      const firstTurn = new Map<string, number>();
      for (let turn = 1; firstTurn.size < runs.length; turn++) {
        const [name] = pick(queue, 1);
        queue.release(item("", { dagId: runs[Number(name)][0] }).demand);
        if (!firstTurn.has(name)) firstTurn.set(name, turn);
      }
      runs.forEach(([dagId], run) => {
        assertEquals(firstTurn.get(`${run}`)! <= dags * runsOf(dagId), true);
      });
    },
  ));
});

Deno.test("ReadyQueue gives a backfill as many turns as the DAG's live runs and other DAGs have", () => {
  const queue = queueOf(-1);
  for (let run = 0; run < 50; run++) {
    queue.add(item("backfill", { dagId: "a", backfillId: "7", run: `b${run}` }));
  }
  for (let i = 0; i < 4; i++) queue.add(item("live", { dagId: "a", run: "live" }));
  for (let i = 0; i < 4; i++) queue.add(item("other", { dagId: "b", run: "other" }));
  const turns = pick(queue, 12).toSorted();
  assertEquals(turns, [
    ...Array(4).fill("backfill"),
    ...Array(4).fill("live"),
    ...Array(4).fill("other"),
  ]);
});

Deno.test("ReadyQueue shares slots, not tasks, between flows", () => {
  const queue = queueOf(-1);
  for (let i = 0; i < 40; i++) {
    queue.add(item("wide", { dagId: "a", slots: 4, run: "a" }));
    queue.add(item("narrow", { dagId: "b", run: "b" }));
  }
  const turns = pick(queue, 40);
  const wide = turns.filter((name) => name === "wide").length;
  assertEquals([wide, turns.length - wide], [8, 32]);
});

Deno.test("ReadyQueue lets no run starve below an endless flood of higher priorities", () => {
  fc.assert(
    fc.property(
      fc.record({
        flood: fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 1, maxLength: 4 }),
        peers: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 }),
        slots: fc.integer({ min: 1, max: 4 }),
        limit: fc.integer({ min: 1, max: 8 }),
      }),
      ({ flood, peers, slots, limit }) => {
        const queue = queueOf(4);
        queue.add(item("target", { dagId: "t", run: "t", slots }));
        peers.forEach((dagId, run) => {
          for (let i = 0; i < 400; i++) queue.add(item("peer", { dagId, run, slots: 4 }));
        });
        // Each turn of the target's priority comes after so many slots of the others; its flow is
        // visited `slots` times, each time after its peers have had all that one visit allows.
        const turns = slots * (peers.length + 1);
        const passesMax = turns * (PASSED_OVER_SLOTS_MAX + 4 * (flood.length + 1));
        let passes = 0;
        for (let started = false; !started; passes++) {
          flood.forEach((priority, run) => {
            for (let i = 0; i < 8; i++) {
              queue.add(item("flood", { priority, dagId: `f${priority}`, run }));
            }
          });
          const running: Demand[] = [];
          queue.pick(limit, (waiting) => {
            queue.remove(waiting);
            queue.occupy(waiting.demand);
            running.push(waiting.demand);
            started ||= (waiting as Item).name === "target";
          });
          running.forEach((demand) => queue.release(demand));
          assertEquals(passes <= passesMax, true, `${passes} passes`);
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("ReadyQueue sets aside what is at its cap and lets others of the run pass", () => {
  const caps = [new Cap(1)];
  const queue = queueOf(-1, item("a1", { caps }), item("a2", { caps }), item("b"));
  assertEquals(pick(queue, 10), ["a1", "b"]);
  queue.release(item("a1", { caps }).demand);
  assertEquals(pick(queue, 10), ["a2"]);
});

Deno.test("ReadyQueue gives the room of a shared cap to another run when one is at its own", () => {
  const shared = new Cap(2);
  const [first, second] = ["r1", "r2"].map((run) => ({ run, caps: [new Cap(1), shared] }));
  const queue = queueOf(
    -1,
    item("first1", first),
    item("first2", first),
    item("second1", second),
    item("second2", second),
  );
  assertEquals(pick(queue, 10), ["first1", "second1"]);
  queue.release(item("second1", second).demand);
  assertEquals(pick(queue, 10), ["second2"]);
});

Deno.test("ReadyQueue forgets what stops waiting while it is set aside", () => {
  const caps = [new Cap(1)];
  const [one, two, three] = ["1", "2", "3"].map((name) => item(name, { caps }));
  const queue = queueOf(-1, one, two, three);
  assertEquals(pick(queue, 10), ["1"]);
  queue.remove(two);
  queue.release(one.demand);
  assertEquals(pick(queue, 10), ["3"]);
  assertEquals(queue.pools()[0].waiting, 0);
});

Deno.test("a Cap of slots keeps the order of those that wait, and a large one gets its turn", () => {
  const cap = new Cap(3, "slots");
  const sized = (name: string, slots: number) => item(name, { slots, caps: [cap] });
  const queue = queueOf(-1, sized("a", 2), sized("b", 3));
  assertEquals(pick(queue, 9), ["a"]);
  for (const name of ["c", "d"]) queue.add(sized(name, 1));
  assertEquals(pick(queue, 9), []);
  queue.release(sized("a", 2).demand);
  assertEquals(pick(queue, 9), ["b"]);
  queue.release(sized("b", 3).demand);
  assertEquals(pick(queue, 9), ["c", "d"]);
});

Deno.test("a task that needs more slots than a Cap has, has it to itself", () => {
  const cap = new Cap(2, "slots");
  const large = item("large", { slots: 5, caps: [cap] });
  const queue = queueOf(-1, large, item("small", { caps: [cap] }));
  assertEquals(pick(queue, 9), ["large"]);
  queue.release(large.demand);
  assertEquals(pick(queue, 9), ["small"]);
});

Deno.test("setCap() lets more go on at once", () => {
  const cap = new Cap(1);
  const queue = queueOf(-1, ...["a", "b", "c"].map((name) => item(name, { caps: [cap] })));
  assertEquals(pick(queue, 9), ["a"]);
  queue.setCap(cap, 2);
  assertEquals(pick(queue, 9), ["b"]);
  queue.setCap(cap, Infinity);
  assertEquals(pick(queue, 9), ["c"]);
});

Deno.test("one that is let go on and then leaves does not keep the others waiting", () => {
  const cap = new Cap(1);
  const [a, b, c] = ["a", "b", "c"].map((name) => item(name, { caps: [cap] }));
  const queue = queueOf(-1, a, b, c);
  assertEquals(pick(queue, 9), ["a"]);
  queue.release(a.demand);
  queue.remove(b);
  assertEquals(pick(queue, 9), ["c"]);
});

Deno.test("one that goes on to wait for another Cap leaves its room to the others", () => {
  const [own, shared] = [new Cap(1), new Cap(1)];
  const both = { caps: [own, shared] };
  const [a, b] = ["a", "b"].map((name) => item(name, both));
  const c = item("c", { caps: [own] });
  const other = item("other", { caps: [shared], run: "other" });
  const queue = queueOf(-1, a, b, c);
  assertEquals(pick(queue, 9), ["a"]);
  queue.add(other);
  queue.release(a.demand);
  assertEquals(pick(queue, 9), ["c", "other"]);
  queue.release(c.demand);
  queue.release(other.demand);
  assertEquals(pick(queue, 9), ["b"]);
});

Deno.test("whatever waits for Caps has its turn in the end", () => {
  const work = fc.array(
    fc.record({
      slots: fc.integer({ min: 1, max: 4 }),
      caps: fc.subarray([0, 1, 2]),
      isRemoved: fc.boolean(),
    }),
    { maxLength: 30 },
  );
  fc.assert(fc.property(work, fc.integer({ min: 1, max: 3 }), (given, limit) => {
    const caps = [new Cap(1), new Cap(2, "slots"), new Cap(3, "slots")];
    const items = given.map((each, i) =>
      item(String(i), { slots: each.slots, caps: each.caps.map((n) => caps[n]), run: i % 3 })
    );
    const queue = queueOf(6, ...items);
    let left = new Set(items.map(({ name }) => name));
    const held: string[] = [];
    for (let turns = 0; left.size > 0; turns++) {
      if (turns > 1000) throw new Error(`${[...left]} wait for ever`);
      for (const name of pick(queue, limit)) held.push(name);
      const gone = items.find((each, i) => given[i].isRemoved && each.place && left.has(each.name));
      if (gone && turns % 2 === 0) {
        queue.remove(gone);
        left.delete(gone.name);
      }
      const done = held.shift();
      if (done === undefined) continue;
      queue.release(items[Number(done)].demand);
      left = left.difference(new Set([done]));
    }
  }));
});
