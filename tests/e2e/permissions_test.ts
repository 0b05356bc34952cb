/** @module What a task is refused: everything that it did not declare, and some that nobody gets. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;
let run: Run;
/** Every case below is a task of this one run. */
Deno.test.beforeAll(async () => {
  product = await startProduct({ env: { DESK_NAME: "rates", DESK_SECRET: "hunter2" } });
  for (const [connection_id, password] of [["ours", "open sesame"], ["theirs", "not for you"]]) {
    await product.api.send("POST", "/api/v2/connections", {
      connection_id,
      conn_type: "http",
      host: "vendor.example",
      password,
    });
  }
  await product.write({ "other.ts": otherDag, "asks.ts": await askingDag() });
  const other = await product.api.runDag("other");
  const { key } = await product.api.output<{ key: string }>(other, "keeps");
  run = await product.api.runDag("asks", { key });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const otherDag = `import { dag, task } from "tidewheel";
export default dag({ id: "other", schedule: null }, () => {
  task({ id: "keeps" }, async (ctx) => {
    await Deno.writeTextFile(ctx.workDir + "/kept.txt", "kept");
    const file = await ctx.files.put(ctx.workDir + "/kept.txt");
    return { key: file.key };
  });
});
`;

/** What each task does, and what must be in the sentence with which it is refused. */
interface Case {
  does: string;
  says: string;
  options?: string;
}

/** Undeclared, and so refused. */
const undeclared: Record<string, Case> = {
  another_connection: { does: `await ctx.connection("theirs")`, says: "theirs" },
  environment: { does: `Deno.env.get("DESK_SECRET")`, says: `env: ["DESK_SECRET"]` },
  host: { does: `await fetch("http://127.0.0.1:9099/")`, says: `net: ["127.0.0.1:9099"]` },
  socket: {
    does: `await Deno.connect({ hostname: "127.0.0.1", port: 5432 })`,
    says: `net: ["127.0.0.1:5432"]`,
  },
  listener: { does: `Deno.listen({ port: 0 })`, says: "net" },
  password_file: { does: `Deno.readTextFileSync("/etc/passwd")`, says: `read: ["/etc/passwd"]` },
  admin_token: { does: `Deno.readTextFileSync(HOME + "/token")`, says: "token" },
  bundles: { does: `[...Deno.readDirSync(HOME + "/cache")]`, says: "cache" },
  objects: { does: `[...Deno.readDirSync(HOME + "/objects")]`, says: "objects" },
  parent_folder: { does: `[...Deno.readDirSync(ctx.workDir + "/../..")]`, says: "read" },
  link_out: {
    does: `Deno.symlinkSync("/etc/passwd", ctx.workDir + "/link")`,
    says: "symlink",
  },
  write_outside: { does: `Deno.writeTextFileSync("/tmp/tw_never", "")`, says: "/tmp/tw_never" },
  program: { does: `new Deno.Command("/bin/true").outputSync()`, says: `run: ["/bin/true"]` },
  kill: { does: `Deno.kill(Deno.ppid, "SIGKILL")`, says: "run" },
  library: { does: `Deno.dlopen("libc.so.6", {})`, says: "ffi" },
  host_name: { does: `Deno.hostname()`, says: "sys" },
  remote_code: {
    does: `await import(["https:", "//127.0.0.1:9/x.ts"].join(""))`,
    says: "127.0.0.1:9",
  },
  other_run: { does: `await ctx.files.open({ key: KEY, bytes: 4, sha256: "" })`, says: "input" },
  sql_file: {
    does: `await ctx.engine.run("SELECT * FROM read_text('/etc/passwd')", { rowsMax: 1 })`,
    says: "/etc/passwd",
  },
  sql_token: {
    does: "await ctx.engine.run(`SELECT * FROM read_text('${HOME}/token')`, { rowsMax: 1 })",
    says: "token",
  },
  sql_glob: {
    does: "await ctx.engine.run(`SELECT * FROM glob('${HOME}/**')`, { rowsMax: 1 })",
    says: "home",
  },
  sql_host: {
    does: `await ctx.engine.run("SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')")`,
    says: "127.0.0.1:9",
  },
  sql_attach: { does: `await ctx.engine.run("ATTACH '/tmp/tw_never.db'")`, says: "ATTACH" },
  sql_copy: {
    does: `await ctx.engine.run("COPY (SELECT 1) TO '/tmp/tw_never.csv'")`,
    says: "/tmp/tw_never.csv",
  },
  sql_target: {
    does:
      `await ctx.engine.run("SELECT 1", { to: { path: "/tmp/tw_never.pq", format: "parquet" } })`,
    says: "/tmp/tw_never.pq",
  },
  sql_install: { does: `await ctx.engine.run("INSTALL httpfs")`, says: "LOAD" },
  sql_unlock: { does: `await ctx.engine.run("SET enable_external_access = true")`, says: "SET" },
};

/** Declared, and refused nevertheless. */
const declared: Record<string, Case> = {
  product_environment: {
    does: "0",
    options: `permissions: { env: ["TIDEWHEEL_TOKEN"] }`,
    says: "TIDEWHEEL_TOKEN",
  },
  token_with_read_all: {
    does: `Deno.readTextFileSync(HOME + "/token")`,
    options: `permissions: { read: ["/"] }`,
    says: "token",
  },
  secret_with_read_all: {
    does: `Deno.readTextFileSync(HOME + "/secret.key")`,
    options: `permissions: { read: ["/"] }`,
    says: "secret.key",
  },
  database_with_read_all: {
    does: `Deno.readTextFileSync(DATABASE + "/cluster.json")`,
    options: `permissions: { read: ["/"] }`,
    says: "cluster.json",
  },
  objects_with_write_all: {
    does: `Deno.writeTextFileSync(HOME + "/objects/forged", "")`,
    options: `permissions: { read: ["/"], write: ["/"] }`,
    says: "forged",
  },
  memory_of_the_service: {
    does: `Deno.readFileSync("/proc/" + Deno.ppid + "/environ")`,
    options: `permissions: { read: ["/"] }`,
    says: "/proc",
  },
};

const cases = { ...undeclared, ...declared };

async function askingDag(): Promise<string> {
  const pointer = await Deno.readTextFile(`${product.home}/postgres.path`).catch(() => "");
  const database = pointer.trim() || `${product.home}/postgres`;
  const tasks = Object.entries(cases).map(([id, { does, options = "" }]) =>
    `  task({ id: "${id}", ${options} }, async (ctx) => {
    const KEY = String(ctx.params.key);
    await KEY;
    ${does};
    return "nobody stopped it";
  });`
  );
  return `import { dag, task } from "tidewheel";
const HOME = ${JSON.stringify(product.home)};
const DATABASE = ${JSON.stringify(database)};
export default dag({ id: "asks", schedule: null, maxActiveTasks: 4 }, () => {
${tasks.join("\n")}
  task({
    id: "allowed",
    connections: ["ours"],
    permissions: { env: ["DESK_NAME"], read: ["${product.dagsDir}"] },
  }, async (ctx) => {
    const { password } = await ctx.connection("ours");
    const path = ctx.workDir + "/mine.csv";
    await Deno.writeTextFile(path, "a,b\\n1,2\\n");
    const sum = await ctx.engine.run("SELECT a + b FROM read_csv('" + path + "')", { rowsMax: 1 });
    return {
      password,
      sum: Number(sum.rows[0][0]),
      desk: Deno.env.get("DESK_NAME"),
      dags: [...Deno.readDirSync("${product.dagsDir}")].map(({ name }) => name).sort(),
      home: [HOME, DATABASE].length,
    };
  });
});
`;
}

Deno.test("a task has what it declares: connection, environment, folder, SQL on its own files", async () => {
  assertEquals((await product.api.task(run, "allowed")).internal_state, "success");
  assertEquals(await product.api.output(run, "allowed"), {
    password: "open sesame",
    sum: 3,
    desk: "rates",
    dags: ["asks.ts", "other.ts"],
    home: 2,
  });
});

for (const [id, { says }] of Object.entries(cases)) {
  Deno.test(`a task that reaches for ${id.replaceAll("_", " ")} is refused`, async () => {
    const attempts = await product.api.attempts(run, id);

    // It never helps to try again.
    assertEquals(attempts.length, 1);
    const { end_reason, evidence } = attempts[0];
    assertStringIncludes(evidence.message ?? "", says);
    assertEquals(end_reason, "permission", evidence.message);
  });
}
