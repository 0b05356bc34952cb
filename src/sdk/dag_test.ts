import { assert, assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { AppError } from "../model/errors.ts";
import { DagSpec, type TaskSpec } from "../model/dag_spec.ts";
import { type Dag, dag, dagsOf } from "./dag.ts";
import { operator } from "./operator.ts";
import type { TaskRef } from "./ref.ts";
import { every } from "./schedule.ts";
import { chain, expand, expandKwargs, group } from "./structure.ts";
import { branch, task } from "./task.ts";

const get = operator({
  name: "test.get",
  summary: "Pretend to fetch",
  params: z.object({
    url: z.url(),
    depth: z.int().default(1),
    table: z.string().optional(),
  }),
  inputs: { from: z.array(z.string()).optional() },
  output: z.array(z.string()),
  permissions: ({ url }) => url === undefined ? {} : { net: [new URL(String(url)).host] },
  connections: () => ["vendor"],
  datasets: ({ table }) => table === undefined ? [] : [String(table)],
  load: () => Promise.resolve({ run: () => Promise.resolve({ kind: "skip" }) }),
});

function declare(body: () => void, options: Partial<Parameters<typeof dag>[0]> = {}): Dag {
  return dag({ id: "d", schedule: null, ...options }, body);
}

function taskSpec(of: Dag, taskId: string): TaskSpec {
  return of.task(taskId).spec;
}

function assertBroken(body: () => unknown, ...messages: string[]): void {
  const error = assertThrows(body, AppError);
  assertEquals(error.code, "DAG_BROKEN");
  for (const message of messages) {
    assert(error.message.includes(message), `"${error.message}" lacks "${message}"`);
  }
}

Deno.test("dag() gives the same JSON whatever the order of writing", () => {
  const a = declare(() => {
    const x = task({ id: "x" }, () => 1);
    const y = task({ id: "y", retries: 2, pool: "p" }, () => 2);
    task({ id: "z", inputs: { x, y } }, () => {});
    get({ id: "g", depth: 2, url: "https://a.example/x" }).after(x, y);
  }, { tags: ["b", "a"] });
  const b = declare(() => {
    const y = task({ pool: "p", retries: 2, id: "y" }, () => 2);
    const x = task({ id: "x" }, () => 1);
    const g = get({ url: "https://a.example/x", depth: 2, id: "g", after: y });
    task({ inputs: { y, x }, id: "z" }, () => {});
    x.before(g);
  }, { tags: ["a", "b", "a"] });

  assertEquals(JSON.stringify(a.spec), JSON.stringify(b.spec));
  assertEquals(a.spec.tasks.map((t) => t.taskId), ["x", "y", "g", "z"]);
  assertEquals(DagSpec.parse(JSON.parse(JSON.stringify(a.spec))), a.spec);
});

Deno.test("dag() adds the weights of all tasks downstream", () => {
  const { spec } = declare(() => {
    const a = task({ id: "a" }, () => 1);
    const b = task({ id: "b", priority: 5 }, () => 1);
    chain(a, [b, task({ id: "c" }, () => 1)], task({ id: "d" }, () => 1));
  });
  const weights = Object.fromEntries(spec.tasks.map((t) => [t.taskId, t.priorityWeight]));
  assertEquals(weights, { a: 8, b: 6, c: 2, d: 1 });
});

Deno.test("dag() names the tasks of a circle", () => {
  assertBroken(
    () =>
      declare(() => {
        const a = task({ id: "a" }, () => 1);
        const b = task({ id: "b", after: a }, () => 1);
        b.before(a);
      }),
    'Cannot declare DAG "d": its tasks wait for each other in a circle: a → b → a',
  );
});

Deno.test("dag() refuses ids that are double or not ids", () => {
  assertBroken(
    () => declare(() => ["a", "a"].forEach((id) => task({ id }, () => 1))),
    'Cannot add task "a" to DAG "d": the DAG already has a task or group of that id',
  );
  assertBroken(() => declare(() => task({ id: "a b" }, () => 1)), '"a b" is not an id');
  assertBroken(() => declare(() => {}, { id: "ü" }), "not an id");
});

Deno.test("dag() refuses times that cannot be", () => {
  const refuse = (options: Parameters<typeof declare>[1], message: string) =>
    assertBroken(() => declare(() => {}, options), 'Cannot declare DAG "d": ', message);
  refuse({ schedule: "0 6 * *" }, "it has 4 fields");
  refuse({ start: "2026-01-02", end: "2026-01-02" }, "is not after its start");
  refuse({ timezone: "Mars/Olympus" }, 'its timezone "Mars/Olympus" does not exist');
  refuse({ timezone: "+02:00" }, "give an IANA name");
  refuse({ timezone: 5 as never }, "give an IANA name");
  refuse({ schedule: "@daily", catchup: true }, "give the start to catch up from");
  refuse({ maxActiveRuns: 0 }, "maxActiveRuns: Too small");
});

Deno.test("dag() reads schedule and start in the DAG's time zone", () => {
  const { spec } = declare(() => {}, {
    schedule: "0 18 * * 1-5",
    timezone: "America/New_York",
    start: "2026-07-01",
    catchup: true,
  });
  assertEquals(spec.schedule, { kind: "cron", cron: "0 18 * * 1-5", timezone: "America/New_York" });
  assertEquals([spec.timezone, spec.start], ["America/New_York", "2026-07-01T04:00:00.000Z"]);
});

Deno.test("dag() describes its params as JSON Schema with their defaults", () => {
  const { spec } = dag({
    id: "d",
    schedule: every({ hours: 1 }),
    params: z.object({
      symbols: z.array(z.string()).default(["IBM"]),
      note: z.string().optional(),
    }),
  }, () => {});
  assertEquals(spec.paramsDefault, { symbols: ["IBM"] });
  const schema = spec.paramsSchema as { properties: object; required?: string[] };
  assertEquals(Object.keys(schema.properties), ["note", "symbols"]);
  assertEquals(schema.required, undefined);
});

Deno.test("dag() refuses params that a scheduled run could not have or JSON not hold", () => {
  const params = z.object({ symbol: z.string() });
  assertBroken(
    () => dag({ id: "d", schedule: "@daily", params }, () => {}),
    'param "symbol" has no default',
  );
  assertEquals(dag({ id: "d", schedule: null, params }, () => {}).spec.paramsDefault, {});
  assertBroken(
    () => dag({ id: "d", schedule: null, params: z.object({ at: z.date() }) }, () => {}),
    "its params have no JSON Schema",
    "z.iso.date()",
  );
});

Deno.test("dag() refuses an async function, another DAG inside, and tasks from outside", () => {
  assertBroken(() => dag({ id: "d", schedule: null }, async () => {}), "function is async");
  assertBroken(() => declare(() => void declare(() => {})), 'declared inside DAG "d"');
  assertBroken(
    () => task({ id: "t" }, () => 1),
    'Cannot declare task "t": no DAG is being declared',
  );
  let kept: TaskRef;
  declare(() => void (kept = task({ id: "t" }, () => 1)));
  assertBroken(
    () => dag({ id: "e", schedule: null }, () => void task({ id: "u", inputs: { kept } }, () => 1)),
    '"kept" is task "t" of DAG "d"',
  );
  assertBroken(() => kept.before(kept), "declared already");
});

Deno.test("settings come from the task, its groups, then the DAG, then the product", () => {
  const of = declare(() => {
    group({ id: "g", defaults: { retries: 2, queue: "slow" } }, () => {
      task({ id: "a", queue: "fast", retryDelay: { seconds: 5 }, backoff: "exponential" }, () => 1);
    });
    task({ id: "b", memory: { mib: 256 }, isolation: "fresh", timeout: { minutes: 1 } }, () => 1);
  }, { defaults: { retries: 1, retryDelayMax: { hours: 1 } } });

  const a = taskSpec(of, "g.a");
  assertEquals(a.retry, {
    retries: 2,
    backoff: "exponential",
    delayMs: 5000,
    delayMsMax: 3_600_000,
  });
  assertEquals([a.queue, a.group, a.isolation, a.timeoutMs], ["fast", "g", "warm", null]);
  const b = taskSpec(of, "b");
  assertEquals([b.retry.retries, b.retry.delayMs, b.queue], [1, 300_000, "default"]);
  assertEquals([b.memoryBytesMax, b.isolation, b.timeoutMs], [256 * 2 ** 20, "fresh", 60_000]);
});

Deno.test("a setting that cannot be names task and setting", () => {
  const refuse = (options: object, message: string) =>
    assertBroken(
      () => declare(() => void task({ id: "a", ...options }, () => 1)),
      'Cannot add task "a" to DAG "d": ',
      message,
    );
  refuse({ pool: 5 }, "pool: Invalid input");
  refuse({ poolSlots: 0 }, "poolSlots: Too small");
  refuse({ retries: 1001 }, "retry.retries: Too big");
  refuse({ timeout: 0 }, "timeout is 0");
  refuse({ retryDelay: { weeks: 1 } }, "retryDelay is");
  refuse({ triggerRule: "sometimes" }, "triggerRule: Invalid option");
  refuse({ isolation: "vm" }, "isolation: Invalid option");
  refuse({ retrys: 3 }, 'there is no option "retrys"');
  refuse(
    { permissions: { net: ["https://a.example"] } },
    'permissions.net has "https://a.example"; give a host or host:port',
  );
});

Deno.test("group() puts its id in front, also of groups inside, and returns what it declares", () => {
  const of = declare(() => {
    const inner = group("outer", () => group("inner", () => task({ id: "t" }, () => 1)));
    task({ id: "after", after: inner }, () => 1);
  });
  assertEquals(of.spec.tasks.map((t) => [t.taskId, t.group]), [
    ["outer.inner.t", "outer.inner"],
    ["after", null],
  ]);
  assertBroken(
    () => declare(() => ["g", "g"].forEach((id) => group(id, () => {}))),
    'group "g" has the id of another group or task',
  );
});

Deno.test("branch() comes before its targets and lists them", () => {
  const of = declare(() => {
    const day = task({ id: "day" }, () => 1);
    const night = [task({ id: "n1" }, () => 1), task({ id: "n2" }, () => 1)];
    branch({ id: "pick", to: { day, night } }, () => "day");
  });
  const pick = taskSpec(of, "pick");
  assertEquals(pick.isBranch, true);
  assertEquals(pick.params, { to: { day: ["day"], night: ["n1", "n2"] } });
  for (const id of ["day", "n1", "n2"]) assertEquals(taskSpec(of, id).upstream, ["pick"]);
  assertBroken(
    () => declare(() => void branch({ id: "b", to: {} }, () => null)),
    'branch "b" needs "to: { name: task, … }"',
  );
});

Deno.test("an operator's task has its inputs, permissions, connections and datasets", () => {
  const of = declare(() => {
    const a = get({ id: "a", url: "https://a.example/x", table: "raw.a" });
    const list = task({ id: "list" }, () => ["u"]);
    get({
      id: "b",
      url: "https://b.example/",
      from: [task({ id: "one" }, () => "x")],
      permissions: { net: ["c.example"], read: ["/data"] },
      connections: ["mine"],
      after: [a, list],
    });
  });
  const b = taskSpec(of, "b");
  assertEquals(b.inputs, { from: { kind: "tasks", taskIds: ["one"] } });
  assertEquals(b.upstream, ["a", "list", "one"]);
  assertEquals(b.permissions.net, ["b.example", "c.example"]);
  assertEquals(b.permissions.read, ["/data"]);
  assertEquals(b.connections, ["mine", "vendor"]);
  assertEquals(of.spec.datasets, ["raw.a"]);
});

Deno.test("an operator's constant parameters are checked while the DAG is declared", () => {
  const refuse = (options: object, message: string) =>
    assertBroken(
      () => declare(() => void get({ id: "g", ...options } as never)),
      'Cannot add task "g" to DAG "d": ',
      message,
    );
  refuse({}, "parameter url: Invalid input");
  refuse({ url: "nowhere" }, "parameter url: Invalid URL");
  refuse({ url: () => "x", depth: 1.5 }, "parameter depth: ");
  refuse({ url: "https://a.example", dept: 2 }, 'test.get has no parameter or input "dept"');
  refuse({ url: "https://a.example", from: "x" }, '"from" is a string; give what a task returned');
});

Deno.test("parameters that depend on run or outputs are marked in the description", () => {
  const of = declare(() => {
    const page = task({ id: "page" }, () => ({ href: "https://a.example" }));
    get({ id: "g", url: page.value((p) => p.href), depth: ({ mapIndex }) => mapIndex });
  });
  const g = taskSpec(of, "g");
  assertEquals(g.params, { url: { $input: "param:url" }, depth: { $fn: true } });
  assertEquals(g.inputs, { "param:url": { kind: "task", taskId: "page" } });
  assertEquals(g.upstream, ["page"]);
});

Deno.test("expand() maps one task over an output or a literal list", () => {
  const of = declare(() => {
    const list = task({ id: "list" }, () => [{ s: "a" }]);
    const pages = list.expand((item) => get({ id: "get", url: item.value((i) => i.s) }));
    const again = pages.expand((page) => task({ id: "again", inputs: { page } }, () => 1));
    task({ id: "sum", inputs: { again } }, () => {});
    expand([1, 2], (n) => task({ id: "lit", inputs: { n, list } }, (_c, { n }) => n));
    expand(list, () => task({ id: "blind" }, () => 1));
  });
  const mapped = (id: string) => [taskSpec(of, id).mappedOver, taskSpec(of, id).inputs];
  assertEquals(mapped("get"), ["param:url", { "param:url": { kind: "item", taskId: "list" } }]);
  assertEquals(mapped("again"), ["page", { page: { kind: "item", taskId: "get" } }]);
  assertEquals(mapped("sum"), [null, { again: { kind: "task", taskId: "again" } }]);
  assertEquals(mapped("lit"), ["n", {
    list: { kind: "task", taskId: "list" },
    n: { kind: "itemOf", items: [1, 2] },
  }]);
  assertEquals(mapped("blind"), ["$item", { $item: { kind: "item", taskId: "list" } }]);
  assertEquals(taskSpec(of, "blind").upstream, ["list"]);
});

Deno.test("expand() hands one item to several places of its task", () => {
  const of = declare(() => {
    expand(
      ["https://a.example"],
      (url) => get({ id: "g", url: url.value(), table: url.value((u) => u) }),
    );
  });
  const node = of.task("g");
  assertEquals(Object.keys(node.spec.inputs), ["param:table"]);
  assertEquals(node.bindings, { "param:table": "param:table", "param:url": "param:table" });
});

Deno.test("expand() refuses more or less than one task, nesting, and items that escape", () => {
  const list = [1];
  assertBroken(
    () =>
      declare(() =>
        void expand(list, () => {
          task({ id: "a" }, () => 1);
          return task({ id: "b" }, () => 1);
        })
      ),
    "maps exactly one task, but its function declared 2 (a, b)",
  );
  assertBroken(
    () => declare(() => void expand(list, () => expand(list, () => task({ id: "a" }, () => 1)))),
    "expand() is called inside expand()",
  );
  assertBroken(
    () =>
      declare(() => {
        let kept: unknown;
        expand(list, (item) => {
          kept = item;
          return task({ id: "a" }, () => 1);
        });
        task({ id: "b", inputs: { kept: kept as TaskRef } }, () => 1);
      }),
    '"kept" is an item of a list outside of the expand() of that list',
  );
  assertBroken(
    () => declare(() => void expand([new Date(0) as never], () => task({ id: "a" }, () => 1))),
    "whose item [0] is a Date",
  );
});

Deno.test("expand() over lists by name maps over their product, expandKwargs() over fields", () => {
  const of = declare(() => {
    const list = task({ id: "list" }, () => [1]);
    expand({ a: ["x"], b: list }, ({ b }) => task({ id: "each", inputs: { b } }, (_c, { b }) => b));
    const rows = [{ name: "n", size: 1 }];
    expandKwargs(
      rows,
      ({ name, size }) =>
        task(
          { id: "row", inputs: { name, size, again: name } },
          (_c, { name, size }) => [name, size],
        ),
    );
  });
  const each = taskSpec(of, "each");
  assertEquals([each.mappedOver, each.mapProduct, each.upstream], ["$item", ["$item", "b"], [
    "list",
  ]]);
  assertEquals(each.inputs, {
    $item: { kind: "itemOf", items: ["x"] },
    b: { kind: "item", taskId: "list" },
  });
  const row = of.task("row");
  const items = [{ name: "n", size: 1 }];
  assertEquals(row.spec.inputs, {
    again: { kind: "itemOf", items, field: "name" },
    size: { kind: "itemOf", items, field: "size" },
  });
  assertEquals(row.bindings, { again: "again", name: "again", size: "size" });
});

Deno.test("group() with a list maps all of its tasks, each output at its own index", () => {
  const of = declare(() => {
    const other = task({ id: "other" }, () => 1);
    const sizes = group({ id: "g", over: ["a"] }, (name) => {
      const text = task({ id: "get", inputs: { name } }, (_c, { name }) => name);
      const both = task(
        { id: "both", inputs: { all: [text], other } },
        (_c, { all }) => all.length,
      );
      return { text, both };
    });
    task({ id: "sum", inputs: sizes }, (_c, { text, both }) => text.join() + both.length);
  });
  const both = taskSpec(of, "g.both");
  assertEquals([both.mappedGroup, both.group, both.mappedOver], ["g", "g", "$item"]);
  assertEquals([both.inputs.all, both.inputs.other], [
    { kind: "items", taskIds: ["g.get"] },
    { kind: "task", taskId: "other" },
  ]);
  assertEquals(taskSpec(of, "sum").mappedGroup, undefined);
  assertEquals(taskSpec(of, "sum").inputs.text, { kind: "task", taskId: "g.get" });
});

Deno.test("group() with a list refuses to be empty, nested, or left by the output of one index", () => {
  const over = ["a"];
  const make = () => task({ id: "t" }, () => [1]);
  assertBroken(
    () => declare(() => void group({ id: "g", over }, () => {})),
    'the mapped group "g" has no tasks',
  );
  assertBroken(
    () => declare(() => void group({ id: "g", over }, () => expand(over, make))),
    'expand() is called inside the mapped group "g"',
  );
  const leaked = (use: (kept: TaskRef<number[]>) => unknown) => () =>
    declare(() => {
      let kept!: TaskRef<number[]>;
      group({ id: "g", over }, () => {
        kept = make();
      });
      use(kept);
    });
  const message = 'task "g.t" of the mapped group "g", which has one output for each index';
  assertBroken(leaked((kept) => task({ id: "x", inputs: { kept } }, () => 1)), message);
  assertBroken(leaked((kept) => kept.expand(() => task({ id: "x" }, () => 1))), message);
  assertBroken(
    () => declare(() => void expand({} as never, make)),
    "maps over neither an array nor a task",
  );
});

Deno.test("operator() refuses parameters with names of task options", () => {
  const base = { name: "x.y", summary: "", output: z.null(), load: get.operator.load as never };
  assertThrows(
    () => operator({ ...base, params: z.object({ timeout: z.int() }) }),
    TypeError,
    '"timeout" is an option that every task has',
  );
  assertThrows(
    () => operator({ ...base, params: z.object({ a: z.int() }), inputs: { a: z.int() } }),
    TypeError,
    '"a" is both a parameter and an input',
  );
});

Deno.test("dagsOf() finds DAGs by default, by name and in arrays, each once", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => declare(() => {}, { id }));
  assertEquals(dagsOf({ default: b, b, all: [c, 5, a], x: null }), [a, b, c]);
  assertBroken(
    () => dagsOf({ a, twin: declare(() => {}, { id: "a" }) }),
    'two of them have the id "a"',
  );
});

Deno.test("Dag.task() says which task a DAG does not have", () => {
  const error = assertThrows(() => declare(() => {}).task("nope"), AppError);
  assertEquals(error.code, "NOT_FOUND");
});
