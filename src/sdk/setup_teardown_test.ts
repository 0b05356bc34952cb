import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { branch, dag, expand, task } from "./mod.ts";

const one = () => 1;

function problemOf(declare: () => void): string {
  return assertThrows(() => dag({ id: "d", schedule: null }, declare), Error).message;
}

Deno.test("a teardown makes its setups setups, comes after them, and has its own rule", () => {
  const { spec } = dag({ id: "d", schedule: null }, () => {
    const up = task({ id: "up" }, () => "c1");
    const load = task({ id: "load", inputs: { up } }, (_ctx, { up }) => up.length);
    task(
      { id: "down", inputs: { up }, after: load, teardown: { setups: up } },
      (_ctx, { up }) => up?.length ?? 0,
    );
  });
  const [up, load, down] = spec.tasks;
  assertEquals([up.isSetup, load.isSetup, down.isSetup], [true, undefined, undefined]);
  assertEquals([down.isTeardown, down.onFailureFailDagRun], [true, undefined]);
  assertEquals([down.upstream, down.triggerRule], [["load", "up"], "all_done_setup_success"]);
});

Deno.test("setups and teardowns can be mapped, alone, and fail their run", () => {
  const { spec } = dag({ id: "d", schedule: null }, () => {
    const up = expand([1, 2], (n) => task({ id: "up", inputs: { n }, setup: true }, one));
    task({ id: "down", teardown: { setups: [up], onFailureFailDagRun: true } }, one);
    task({ id: "sweep", teardown: {} }, one);
  });
  const byId = Object.fromEntries(spec.tasks.map((each) => [each.taskId, each]));
  assertEquals(byId.up.isSetup, true);
  assertEquals(byId.down.onFailureFailDagRun, true);
  assertEquals([byId.sweep.isTeardown, byId.sweep.upstream], [true, []]);
});

Deno.test("setups and teardowns that cannot be are refused, saying what would be right", () => {
  const problems: [() => void, string][] = [
    [() => task({ id: "t", setup: true, teardown: {} }, one), "make two tasks of it"],
    [
      () => task({ id: "t", teardown: {}, triggerRule: "all_done" }, one),
      "leave triggerRule out",
    ],
    [
      () => task({ id: "t", teardown: { setups: "up" as never } }, one),
      '"teardown.setups" is a string',
    ],
    [() => task({ id: "t", teardown: true as never }, one), "give { setups: … }"],
    [() => {
      const up = task({ id: "up", setup: true }, one);
      task({ id: "t", after: up, triggerRule: "all_done" }, one);
    }, 'task "t" comes right after the setup "up" by the trigger rule all_done'],
    [() => {
      const first = task({ id: "first", teardown: {} }, one);
      task({ id: "second", teardown: { setups: first } }, one);
    }, 'task "first" is a teardown, and another teardown names it as its setup'],
    [() => {
      const next = task({ id: "next" }, one);
      branch({ id: "b", to: { next }, setup: true }, () => "next");
    }, "is neither setup nor teardown"],
    [() => {
      const next = task({ id: "next" }, one);
      const b = branch({ id: "b", to: { next } }, () => "next");
      task({ id: "down", teardown: { setups: b } }, one);
    }, 'task "b" chooses what goes on'],
  ];
  for (const [declare, problem] of problems) assertStringIncludes(problemOf(declare), problem);
});
