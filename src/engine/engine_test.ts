import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { hasCode } from "../model/errors.ts";
import { type Engine, startEngine } from "./client.ts";
import { enginePool } from "./pool.ts";
import { codeOfEngine } from "./failure.ts";

/** One engine for the tests of a file, with a work folder, an inputs folder and one outside both. */
async function withEngine(test: (engine: Engine, root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  for (const dir of ["work", "inputs", "outside"]) await Deno.mkdir(`${root}/${dir}`);
  await Deno.writeTextFile(`${root}/outside/secret.csv`, "a\nsecret\n");
  await Deno.writeTextFile(`${root}/inputs/in.csv`, "a,b\n1,x\n2,y\n");
  const engine = await startEngine({
    workDir: `${root}/work`,
    allowedDirectories: [`${root}/inputs`],
    memoryBytes: 300 * 1024 * 1024,
  });
  try {
    await test(engine, root);
  } finally {
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

Deno.test("Engine", async (t) => {
  await withEngine(async (engine, root) => {
    await t.step("run() gives values that JSON keeps exactly", async () => {
      const { columns, rows } = await engine.run(
        `select 9007199254740991 a, 9007199254740993 b, 1.10::DECIMAL(38,20) c,
           '2024-01-02 03:04:05.123456789'::TIMESTAMP_NS d, DATE '2024-01-02' e, 'x' f, NULL g,
           'NaN'::DOUBLE h, [1, 2] i, {'k': 12345678901234567890::HUGEINT} j, 'ab'::BLOB k,
           '2024-01-02 03:04:05+02'::TIMESTAMPTZ l, true m, MAP {'a': 1} n`,
        { rowsMax: 1 },
      );
      assertEquals(columns[2], { name: "c", type: "DECIMAL(38,20)" });
      assertEquals(rows, [[
        9007199254740991,
        "9007199254740993",
        "1.10000000000000000000",
        "2024-01-02 03:04:05.123456789",
        "2024-01-02",
        "x",
        null,
        "NaN",
        [1, 2],
        { k: "12345678901234567890" },
        "YWI=",
        "2024-01-02 01:04:05+00",
        true,
        [["a", 1]],
      ]]);
    });

    await t.step("run() keeps tables of the session and binds parameters", async () => {
      await engine.run("create table t as select range i from range(5); insert into t values (9)");
      const { rows } = await engine.run("select i from t where i > ? order by i", {
        params: [2],
        rowsMax: 2,
      });
      assertEquals(rows, [[3], [4]]);
    });

    await t.step("run() writes rows to a new file of the work folder and counts them", async () => {
      const path = `${root}/work/out.parquet`;
      const { rowsChanged } = await engine.run(`from '${root}/inputs/in.csv';`, {
        to: { path, format: "parquet" },
      });
      assertEquals(rowsChanged, 2);
      assertEquals((await engine.run(`select b from '${path}'`, { rowsMax: 9 })).rows, [
        ["x"],
        ["y"],
      ]);
      assertEquals(
        await codeOf(engine.run("select 1", { to: { path, format: "parquet" } })),
        "FORBIDDEN",
      );
    });

    for (
      const sql of [
        "from read_text('/etc/passwd')",
        "from read_text('ROOT/outside/secret.csv')",
        "from read_text('ROOT/work/../outside/secret.csv')",
        "from glob('/*')",
        "from read_blob('/proc/self/environ')",
        "from read_csv('http://127.0.0.1:9/x.csv')",
        "copy (select 1) to 'ROOT/work/by_sql.csv'",
        "copy (select 1) to 'ROOT/inputs/in.csv'",
        "attach 'ROOT/work/x.db'",
        "attach '/tmp/x.db' as y",
        "install httpfs",
        "load 'ROOT/work/x.duckdb_extension'",
        "set threads = 64",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma enable_profiling",
        "call enable_logging(storage = 'file', storage_path = 'ROOT/outside/log')",
        "export database 'ROOT/work/export'",
        "prepare p as copy (select 1) to 'ROOT/work/p.csv'",
        "explain analyze copy (select 1) to 'ROOT/work/e.csv'",
        "select 1; copy (select 1) to 'ROOT/work/second.csv'; select 2",
        "export /* x */ database 'ROOT/inputs/export'",
        "from enable_logging(storage = 'file', storage_path = 'ROOT/inputs/log')",
        "from query('from enable_log' || 'ging(storage = ''file'', storage_path = ''ROOT/inputs/in.csv'')')",
        `from "query" /* x */ -- y
          ('select 1')`,
        "from json_execute_serialized_sql(json_serialize_sql('from enable_log' || 'ging()'))",
        "vacuum",
        "checkpoint",
      ]
    ) {
      await t.step(`run() refuses ${sql}`, async () => {
        const code = await codeOf(engine.run(sql.replaceAll("ROOT", root), { rowsMax: 1 }));
        assert(["FORBIDDEN", "INVALID"].includes(code), code);
      });
    }

    await t.step("run() refuses a link that leads out of its folders", async () => {
      await Deno.symlink(`${root}/outside/secret.csv`, `${root}/work/link.csv`);
      await Deno.symlink(`${root}/outside`, `${root}/work/linked`);
      for (const path of ["link.csv", "linked/secret.csv"]) {
        const code = await codeOf(
          engine.run(`from read_text('${root}/work/${path}')`, { rowsMax: 1 }),
        );
        assertEquals(code, "FORBIDDEN");
      }
      const target = { path: `${root}/work/linked/new.csv`, format: "text" } as const;
      assertEquals(await codeOf(engine.run("select 1", { to: target })), "FORBIDDEN");
    });

    await t.step("run() writes integers of 128 bits to Parquet digit by digit", async () => {
      const path = `${root}/work/wide.parquet`;
      await engine.run("select 12345678901234567890123::HUGEINT a", {
        to: { path, format: "parquet" },
      });
      const { rows } = await engine.run(`from '${path}'`, { rowsMax: 1 });
      assertEquals(rows, [["12345678901234567890123"]]);
      await Deno.remove(path);
    });

    for (
      const [sql, path] of [
        ["select 1", "/inputs/new.csv"],
        ["select 1", "/outside/new.csv"],
        ["select 1", "/work/../outside/new.csv"],
        ["select 1", "/work/x' (format csv); --"],
        ["select 1; select 2", "/work/two.csv"],
        ["select 1) to '/tmp/escaped.csv'; --", "/work/three.csv"],
        ["create table zzz as select 1", "/work/four.csv"],
      ]
    ) {
      await t.step(`run() refuses to write ${sql} to ${path}`, async () => {
        const to = { path: root + path, format: "text" } as const;
        const code = await codeOf(engine.run(sql, { to }));
        assert(["FORBIDDEN", "INVALID"].includes(code), code);
      });
    }

    await t.step("nothing was written by what was refused", async () => {
      const names = (await Array.fromAsync(Deno.readDir(`${root}/work`))).map(({ name }) => name);
      assertEquals(names.sort(), ["link.csv", "linked", "out.parquet"]);
      assertEquals(await Deno.readTextFile(`${root}/inputs/in.csv`), "a,b\n1,x\n2,y\n");
    });

    await t.step("run() says what memory was too little", async () => {
      const error = await assertRejects(() =>
        engine.run(
          "select max(length(l)) from (select list(repeat('x', 1000) || i) l from range(3000000) t(i))",
          { rowsMax: 1 },
        )
      );
      assert(hasCode(error, "LIMIT_EXCEEDED"), String(error));
    });

    await t.step(
      "run() is interrupted when its signal aborts, and the session lives on",
      async () => {
        const stop = new AbortController();
        const endless = engine.run(
          "select count(*) from range(1000000000000) a where a.range % 7 = 1",
          {
            rowsMax: 1,
            signal: stop.signal,
          },
        );
        stop.abort(new Error("stopped by test"));
        await assertRejects(() => endless, Error, "stopped by test");
        assertEquals((await engine.run("select count(*) from t", { rowsMax: 1 })).rows, [[6]]);
      },
    );

    await t.step("run() says so when the process was killed", async () => {
      const endless = engine.run(
        "select count(*) from range(1000000000000) a where a.range % 7 = 1",
      );
      Deno.kill(engine.pid, "SIGKILL");
      const error = await assertRejects(() => endless, Error, "was killed by SIGKILL");
      assert(hasCode(error, "UNAVAILABLE"));
      await assertRejects(() => engine.run("select 1"), Error, "was killed by SIGKILL");
    });
  });
});

Deno.test("enginePool() uses a process again without the session, and ends idle ones", async () => {
  const clock = new VirtualClock();
  const workDir = await Deno.makeTempDir();
  const pool = enginePool({ clock, idleMs: 1000 });
  try {
    const first = await pool.start({ workDir, memoryBytes: 256 * 1024 * 1024 });
    await first.run("create table mine as select 1");
    await first.close();
    assertEquals(pool.stats(), { spares: 1, inUse: 0 });
    const second = await pool.start({ workDir, memoryBytes: 256 * 1024 * 1024 });
    assertEquals(second.pid, first.pid);
    assertStringIncludes(
      String(await second.run("from mine").catch((error) => error)),
      "mine does not exist",
    );
    await second.close();
    clock.advance(1000);
    await Promise.resolve();
    assertEquals(pool.stats(), { spares: 0, inUse: 0 });
  } finally {
    await pool.close();
    await Deno.remove(workDir, { recursive: true });
  }
});

Deno.test("enginePool() never uses a process again that still runs something", async () => {
  const workDir = await Deno.makeTempDir();
  const pool = enginePool({ clock: new VirtualClock() });
  try {
    const engine = await pool.start({ workDir, memoryBytes: 256 * 1024 * 1024 });
    const endless = assertRejects(() =>
      engine.run("select count(*) from range(1000000000000) a where a.range % 7 = 1")
    );
    await engine.close();
    await endless;
    assertEquals(pool.stats(), { spares: 0, inUse: 0 });
  } finally {
    await pool.close();
    await Deno.remove(workDir, { recursive: true });
  }
});

Deno.test("codeOfEngine() names what a message of DuckDB means", () => {
  assertEquals(codeOfEngine("Parser Error: syntax error"), "INVALID");
  assertEquals(codeOfEngine("Out of Memory Error: failed to pin block"), "LIMIT_EXCEEDED");
  assertEquals(codeOfEngine("IO Error: No space left on device"), "DISK_FULL");
  assertEquals(
    codeOfEngine("Invalid Input Error: No magic bytes found at end of file 'x.parquet'"),
    "CORRUPT",
  );
});
