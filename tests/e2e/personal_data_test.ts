/** @module Personal data: after the policy of a conversion nobody reads it but who may see raw rows. */
import { assert, assertEquals } from "@std/assert";
import { walk } from "../support/walk.ts";
import { startProduct } from "../support/product.ts";

const key = "correct horse battery staple";
const markers = ["zelda.marker@example.com", "4111111111111111", "Zeldamarker", "+442079460958"];
const line = (id: string) => `${id},${markers.join(",")},1990-02-03\n`;
const csv = `id,email,card,first_name,phone,birth_date\n${line("1")}${line("two")}${line("3")}`;

const peopleDag = (inbox: string) =>
  `import { column, dag, table } from "tidewheel";
import { collect, convert, publish } from "tidewheel/operators";

const Person = table("person", {
  id: column.int64(),
  email: column.varchar(),
  card: column.varchar(),
  first_name: column.varchar(),
  birth_date: column.date(),
}, { key: ["id"] });

export default dag({ id: "people", schedule: null }, () => {
  const raw = collect.file({
    id: "collect",
    source: "drop.people",
    folder: ${JSON.stringify(inbox)},
    pattern: "people.csv",
    ready: { kind: "settled", quietMs: 10 },
    partition: "p",
  });
  const people = convert({
    id: "convert",
    from: raw,
    schema: Person,
    ignore: ["phone"],
    pii: { email: "hash", card: "mask", name: "tokenise", birth_date: "truncate" },
    piiKey: { connection: "pii_key" },
  });
  publish({ id: "publish", from: people, dataset: "people.all", partition: "p" });
});
`;

Deno.test("personal data is read by nobody but who may see raw rows", async (t) => {
  await using product = await startProduct();
  const { api } = product;
  const inbox = `${product.root}/dropped`;
  await Deno.mkdir(inbox);
  await Deno.writeTextFile(`${inbox}/people.csv`, csv);
  await api.send("POST", "/api/v2/connections", {
    connection_id: "pii_key",
    conn_type: "generic",
    password: key,
  });
  await product.write({ "people.ts": peopleDag(inbox) });
  const run = await api.runDag("people", {}, { withinMs: 60_000 });
  assertEquals(run.state, "success", JSON.stringify(await api.attempts(run)));
  const token = async (role: string) =>
    (await api.send<{ token: string }>("POST", "/api/v2/tokens", { name: role, role })).token;
  const tokens = { viewer: await token("viewer"), op: await token("op") };
  const { quarantines: [refused] } = await api.get<{ quarantines: { id: string }[] }>(
    "/api/v2/quarantine",
  );

  await t.step("what a viewer is answered has none of it", async () => {
    const { versions: [version] } = await api.get<{ versions: { id: string }[] }>(
      "/api/v2/datasets/people.all/versions",
    );
    const ofRun = `/api/v2/dags/people/dagRuns/${run.dag_run_id}`;
    const paths = [
      ...["collect", "convert", "publish"].flatMap((task) => [
        `${ofRun}/taskInstances/${task}`,
        `${ofRun}/taskInstances/${task}/logs/1?full_content=true`,
        `${ofRun}/taskInstances/${task}/xcomEntries/return_value?deserialize=true`,
      ]),
      `${ofRun}/attempts`,
      "/api/v2/dags/people/details",
      "/api/v2/dags/people/dagVersions",
      "/api/v2/dagSources/people",
      `/api/v2/datasets/people.all/versions/${version.id}`,
      `/api/v2/datasets/people.all/versions/${version.id}/rows`,
      "/api/v2/lineage/people.all?key=id=1",
      `/api/v2/quarantine/${refused.id}`,
      `/api/v2/quarantine/${refused.id}/rows`,
    ];
    for (const path of paths) {
      const { status, body } = await api.call("GET", path, { token: tokens.viewer });
      assertEquals(status, 200, path);
      const text = JSON.stringify(body);
      for (const marker of [...markers, key]) assert(!text.includes(marker), `${path}: ${marker}`);
    }
  });

  await t.step(
    "refused rows are masked; raw ones are for some, and the audit log tells",
    async () => {
      const rows = `/api/v2/quarantine/${refused.id}/raw_rows`;
      assertEquals((await api.call("GET", rows, { token: tokens.viewer })).status, 403);
      const seen = await api.call<{ rows: { raw: string }[] }>("GET", rows, { token: tokens.op });
      assertEquals(seen.body.rows.map(({ raw }) => raw), [line("two").trimEnd()]);
      const { event_logs } = await api.get<{ event_logs: { event: string }[] }>(
        "/api/v2/eventLogs?limit=1000",
      );
      assert(event_logs.some(({ event }) => event === "quarantine.read_raw"));
    },
  );

  await t.step("logs and files on disk have none but what was collected and refused", async () => {
    const found = new Map<string, string[]>();
    const texts = [product.output(), ...await walk(product.home)];
    for (const file of texts) {
      const [name, text] = file instanceof Promise
        ? ["stderr", await file]
        : [file, new TextDecoder("latin1").decode(await Deno.readFile(file))];
      const has = [...markers, key].filter((marker) => text.includes(marker));
      if (has.length > 0) found.set(name, has);
    }
    const isDatabase = (name: string) => /\/(?:postgres|pg|db|data)[^/]*\//.test(name);
    const others = [...found].filter(([name]) => !isDatabase(name));
    // The raw file, and the file of refused rows.
    assertEquals(others.map(([, has]) => has), [markers, markers], JSON.stringify([...found]));
    assert([...found.values()].flat().every((marker) => marker !== key), "the key was written");
  });
});
