/** @module `tidewheel run` as a developer types it: choices, records, failures with their place. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runVerb } from "../support/product.ts";

const SECRET = "sesame-4711";
const dagFile = `import { dag, task } from "tidewheel";
import { collect } from "tidewheel/operators";
import { z } from "zod";
export default dag({
  id: "quotes",
  schedule: "@daily",
  start: "2026-01-01",
  params: z.object({ fail: z.boolean().default(false) }),
}, ({ task }) => {
  const raw = collect.http({
    id: "collect",
    source: "vendor.quotes",
    connection: "vendor",
    path: "/quotes",
    query: ({ interval }) => ({ on: interval.date }),
    format: "json",
  });
  const count = task({ id: "count", inputs: { raw } }, async ({ files }, { raw }) => {
    const text = await Deno.readTextFile(await files.open(raw.files[0]));
    return JSON.parse(text).rows.length;
  });
  task({ id: "check", inputs: { count } }, ({ params, log }, { count }) => {
    log.info("checking");
    if (params.fail) throw new Error("too few rows: " + count);
    return { rows: count };
  });
});
`;

let dir: string;
let asked = 0;
let vendor: Deno.HttpServer<Deno.NetAddr>;
Deno.test.beforeAll(async () => {
  dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_run_" }));
  await Deno.writeTextFile(`${dir}/quotes.ts`, dagFile);
  vendor = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    asked++;
    const { searchParams } = new URL(request.url);
    if (searchParams.get("apikey") !== SECRET) return new Response("who?", { status: 401 });
    return Response.json({ on: searchParams.get("on"), rows: [1, 2, 3], you: SECRET });
  });
});
Deno.test.afterAll(async () => {
  await vendor.shutdown();
  await Deno.remove(dir, { recursive: true });
});

const connection = () =>
  JSON.stringify({
    host: "127.0.0.1",
    port: vendor.addr.port,
    schema: "http",
    password: SECRET,
    extra: { auth: { kind: "api_key", in: "query", name: "apikey" } },
  });
const run = (...args: string[]) =>
  runVerb(["run", `${dir}/quotes.ts`, ...args], { TIDEWHEEL_CONN_VENDOR: connection() });

Deno.test("run --record keeps outputs, files and HTTP answers, and no secret", async () => {
  const { code, stdout, stderr } = await run("--date", "2026-03-02", "--record", `${dir}/record`);

  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stderr, "Recorded in");
  assertMatch(stdout, /check +success +1 +\{"rows":3\}/);
  const http = await Deno.readTextFile(`${dir}/record/http.json`);
  assertStringIncludes(http, "/quotes?on=2026-03-02&apikey=***");
  for await (const { name } of Deno.readDir(`${dir}/record/files`)) {
    assert(!(await Deno.readTextFile(`${dir}/record/files/${name}`)).includes(SECRET));
  }
  const kept = http + await Deno.readTextFile(`${dir}/record/run.json`);
  assert(!kept.includes(SECRET));
});

Deno.test("a record is replayed in a test, without the network", async () => {
  await Deno.writeTextFile(
    `${dir}/quotes_test.ts`,
    `import { runDag } from "tidewheel/testing";
import quotes from "./quotes.ts";
Deno.test("quotes", async () => {
  const run = await runDag(quotes, { fixtures: new URL("./record/", import.meta.url) });
  if (run.state !== "success" || run.output("count") !== 3) throw new Error(JSON.stringify(run.logs));
});
`,
  );
  const before = asked;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--quiet", "--no-check", "--config", config, `${dir}/quotes_test.ts`],
  }).output();

  assertEquals(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  assertEquals(asked, before);
});

Deno.test("run --from-task goes on from recorded outputs, --task runs one alone", async () => {
  const before = asked;
  const rest = await run("--inputs", `${dir}/record`, "--from-task", "count");
  assertEquals(rest.code, 0, rest.stdout);
  const one = await run("--inputs", `${dir}/record`, "--task", "check", "--json");
  assertEquals(JSON.parse(one.stdout).outputs.check, { rows: 3 });
  assertEquals(asked, before);

  const none = await run("--task", "check");
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, 'it takes the output of "count", of which none is recorded');
});

Deno.test("run shows where a task failed, and exits with 1", async () => {
  const { code, stdout } = await run(
    ...["--inputs", `${dir}/record`, "--from-task", "check", "--params", '{"fail":true}'],
  );
  assertEquals(code, 1);
  assertStringIncludes(stdout, "too few rows: 3");
  assertMatch(stdout, /quotes\.ts:24:\d+/);
  assertMatch(stdout, /> 24 \| +if \(params\.fail\) throw/);
});

Deno.test("run answers what a task asks, and says which rule decided on a retry", async () => {
  await Deno.writeTextFile(
    `${dir}/asking.ts`,
    `import { approval, dag, task } from "tidewheel";
export default dag({ id: "asking", schedule: null }, () => {
  const load = task({
    id: "load",
    retries: 1,
    retryDelay: { seconds: 1 },
    retryPolicy: [{ error: "Busy", action: "retry", delay: { seconds: 1 } }],
  }, ({ tryNumber }) => {
    if (tryNumber > 1) return 1;
    throw Object.assign(new Error("too many"), { name: "Busy" });
  });
  const check = approval({ id: "check", subject: "Go on?", inputs: { load } });
  task({ id: "publish", after: [check] }, () => "published");
});
`,
  );
  const { code, stdout } = await runVerb(
    ["run", `${dir}/asking.ts`, "--answer", "check=approve"],
    {},
  );
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /load: retry rule 1 \(error Busy\): tried again after 1 s\n/);
  assertMatch(stdout, /publish +success +1 +"published"/);
  const wrong = await runVerb(["run", `${dir}/asking.ts`, "--answer", "load=Approve"], {});
  assertStringIncludes(wrong.stderr, "those that do are check");
});

Deno.test("run says where a DAG file is broken", async () => {
  await Deno.writeTextFile(
    `${dir}/broken.ts`,
    `import { dag, task } from "tidewheel";
export default dag({ id: "broken", schedule: "0 25 * * *" }, () => {
  task({ id: "a" }, () => 1);
});
`,
  );
  const { code, stderr } = await runVerb(["run", `${dir}/broken.ts`], {});
  assertEquals(code, 1);
  assertStringIncludes(stderr, '"25" does not fit the hour');
  assertMatch(stderr, /> 2 \| export default dag/);
});
