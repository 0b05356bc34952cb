/** @module The shipped DAG on the sandbox, in this process: good days and bad ones of its vendors. */
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { runLocal } from "../../src/compose/run_local.ts";
import {
  deskDropUrl,
  type Fault,
  sandboxConnections,
  type SandboxServer,
  startSandbox,
} from "../../src/sandbox/mod.ts";

const dagFile = fileURLToPath(new URL("../../dags/standard_ingestion.ts", import.meta.url));

interface Ingested {
  state: string;
  published: { dataset: string; partition: string; rows: number | null; sha256: string }[];
}

/** Run it for 2013-03-01, with the desk's file or without it. */
async function ingest(server: SandboxServer, isDropped = true): Promise<Ingested> {
  const inbox = await Deno.makeTempDir({ prefix: "tidewheel-inbox-" });
  if (isDropped) await Deno.copyFile(deskDropUrl, `${inbox}/desk_bars_2013-03-01.csv`);
  const connections = sandboxConnections(server.url, { inbox });
  const variable = (id: string) => `TIDEWHEEL_CONN_${id.toUpperCase()}`;
  for (const one of connections) Deno.env.set(variable(one.connectionId), JSON.stringify(one));
  const printed: string[] = [];
  const print = (text: string) => printed.push(text);
  const output = { json: true, isTerminal: false, out: print, err: print };
  try {
    const context = { output } as unknown as Parameters<typeof runLocal>[0];
    await runLocal(context, [dagFile], { date: "2013-03-01" });
    return JSON.parse(printed.join(""));
  } finally {
    for (const { connectionId } of connections) Deno.env.delete(variable(connectionId));
    await Deno.remove(inbox, { recursive: true });
  }
}

/** State, rows and content of what readers get. */
function pricesOf({ state, published }: Ingested) {
  const { rows, sha256 } = published.find(({ dataset }) => dataset === "prices.daily")!;
  return { state, rows, sha256 };
}

Deno.test("standard_ingestion publishes one row for each symbol and session", async () => {
  await using server = await startSandbox({ port: 0 });

  const ingested = await ingest(server);

  assertEquals(ingested.published.map((one) => [one.dataset, one.partition, one.rows]).sort(), [
    ["prices.daily", "2013-03-01", 5 * 25],
    ["raw.desk.bars", "2013-03-01", null],
    ["raw.marketstack.eod", "2013-03-01", null],
    ["raw.stooq.daily", "2013-03-01", null],
  ]);
});

Deno.test("standard_ingestion publishes the same on a day on which its vendors fail", async () => {
  await using server = await startSandbox({ port: 0 });
  const good = await ingest(server);
  const fail = (match: string, fault: Fault) => server.sandbox.faults.add({ fault, match });
  fail("offset=0", { kind: "status", status: 503, retryAfter: "0" });
  fail("offset=40", { kind: "half_page_twice" });
  fail("offset=80", { kind: "truncate", afterBytes: 700 });
  fail("offset=120", { kind: "html" });
  fail("aapl", { kind: "cut", afterBytes: 600 });
  fail("ibm", { kind: "flipped_byte" });
  fail("msft", { kind: "html" });

  const bad = await ingest(server);

  assertEquals(server.sandbox.faults.list(), []);
  assertEquals(pricesOf(bad), pricesOf(good));
});

Deno.test("standard_ingestion goes on without the desk when it dropped nothing", async () => {
  await using server = await startSandbox({ port: 0 });

  const ingested = await ingest(server, false);

  assertEquals(pricesOf(ingested).state, "success");
  assertEquals(pricesOf(ingested).rows, 125);
  assertEquals(ingested.published.some(({ dataset }) => dataset === "raw.desk.bars"), false);
});
