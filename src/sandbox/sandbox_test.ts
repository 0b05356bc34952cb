import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { createSandbox } from "./sandbox.ts";
import { deviations } from "./deviations.ts";
import { bars } from "./figures.ts";

function sandboxAt(now = "2013-03-04T00:00:00Z") {
  const clock = new VirtualClock(now);
  const sandbox = createSandbox({ clock });
  const ask = (path: string, init?: RequestInit) =>
    sandbox.handle(new Request(`http://sandbox${path}`, init));
  return { clock, sandbox, ask };
}

const eod = "/marketstack/v1/eod?access_key=demo";

Deno.test("the sandbox pages bars in marketstack's shape, each once", async () => {
  const { ask } = sandboxAt();
  const page = async (offset: number) =>
    await (await ask(`${eod}&symbols=IBM,AAPL&date_from=2013-02-25&limit=6&offset=${offset}`))
      .json();

  const [first, second] = [await page(0), await page(6)];

  assertEquals(first.pagination, { limit: 6, offset: 0, count: 6, total: 10 });
  assertEquals(second.pagination, { limit: 6, offset: 6, count: 4, total: 10 });
  const { symbol, date, close, volume, exchange } = first.data[0];
  assertEquals({ symbol, date, close, volume, exchange }, {
    symbol: "AAPL",
    date: "2013-03-01T00:00:00+0000",
    close: 430.47,
    volume: 19730300,
    exchange: "XNAS",
  });
});

Deno.test("the sandbox writes figures as the text that they are", async () => {
  const { ask } = sandboxAt();
  const text = await (await ask(`${eod}&symbols=AAPL&date_from=2013-03-01`)).text();
  assertStringIncludes(text, '"open":438.0,"high":438.1799,');
  assertStringIncludes(text, '"adj_close":56.137353095488,');
});

Deno.test("the sandbox refuses keys and parameters as marketstack does", async () => {
  const { ask } = sandboxAt();
  const code = async (path: string) => {
    const answer = await ask(path);
    return [answer.status, (await answer.json()).error.code];
  };

  assertEquals(await code("/marketstack/v1/eod?symbols=IBM"), [401, "missing_access_key"]);
  assertEquals(await code("/marketstack/v1/eod?access_key=x"), [401, "invalid_access_key"]);
  assertEquals(await code(eod), [422, "validation_error"]);
  assertEquals(await code(`${eod}&symbols=IBM&limit=1001`), [422, "validation_error"]);
  assertEquals(await code("/marketstack/v1/nothing?access_key=demo"), [404, "not_found_error"]);
});

Deno.test("the sandbox limits a key by minute and by day, and says when to come back", async () => {
  const { ask, clock } = sandboxAt("2013-03-04T00:00:20Z");
  const status = async () =>
    await ask("/marketstack/v1/eod/latest?access_key=free&symbols=IBM")
      .then((answer) => [answer.status, answer.headers.get("retry-after")]);

  for (let i = 0; i < 5; i++) assertEquals(await status(), [200, null]);
  assertEquals(await status(), [429, "40"]);
  for (let minute = 0; minute < 4; minute++) {
    clock.advance(60_000);
    for (let i = 0; i < 5; i++) await status();
  }
  clock.advance(60_000);
  assertEquals(await status(), [429, String(86_400 - 320)]);
});

Deno.test("the sandbox says everything with status 200 in Alpha Vantage's shape", async () => {
  const { ask } = sandboxAt();
  const query = "/alpha_vantage/query?function=TIME_SERIES_DAILY&symbol=IBM";
  const answer = async (path: string) => {
    const response = await ask(path);
    assertEquals(response.status, 200);
    return await response.json();
  };

  const series = await answer(`${query}&apikey=free`);
  assertEquals(series["Time Series (Daily)"]["2013-03-01"], {
    "1. open": "200.6500",
    "2. high": "202.9400",
    "3. low": "199.3600",
    "4. close": "202.9100",
    "5. volume": "3308300",
  });
  assertEquals(Object.keys(series["Time Series (Daily)"]).length, 100);
  assert("Error Message" in await answer(query));
  assert("Error Message" in await answer(`${query}X&apikey=free`));
  for (let i = 0; i < 3; i++) await answer(`${query}&apikey=free`);
  assert("Note" in await answer(`${query}&apikey=free`));
});

Deno.test("the sandbox gives CSV in Stooq's shape, and text in its place", async () => {
  const { ask } = sandboxAt();
  const body = async (query: string) => await (await ask(`/stooq/q/d/l/?${query}`)).text();

  assertEquals(
    await body("s=ibm.us&i=d&d1=20130301&d2=20130301"),
    "Date,Open,High,Low,Close,Volume\r\n2013-03-01,200.65,202.94,199.36,202.91,3308300\r\n",
  );
  assertEquals(await body("s=nope.us&i=d"), "No data");
});

Deno.test("the sandbox gives ECB rates as SDMX-CSV and as the wide file", async () => {
  const { ask } = sandboxAt();
  const rate = await ask("/ecb/service/data/EXR/D.USD.EUR.SP00.A?startPeriod=2013-03-01");
  const wide = await (await ask("/ecb/stats/eurofxref/eurofxref-hist.csv")).text();

  assertStringIncludes(await rate.text(), "EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2013-03-01,1.3");
  assert(wide.startsWith("Date,USD,JPY,"));
  assertEquals((await ask("/ecb/service/data/EXR/D.XXX.EUR.SP00.A")).status, 404);
});

Deno.test("the sandbox shows what was known at an instant: late, first print, corrected", async () => {
  const { ask } = sandboxAt();
  const at = async (instant: string) => {
    await ask("/_sandbox/as-of", { method: "PUT", body: JSON.stringify({ at: instant }) });
    const { data } = await (await ask(`${eod}&symbols=GOOG,MSFT&date_from=2013-02-28`)).json();
    return data.map((bar: Record<string, unknown>) =>
      `${bar.symbol} ${String(bar.date).slice(5, 10)} ${bar.close}`
    );
  };

  assertEquals(await at("2013-02-28T23:00:00Z"), ["GOOG 02-28 801.2", "MSFT 02-28 27.08"]);
  assertEquals(await at("2013-03-01T23:00:00Z"), [
    "MSFT 03-01 27.95",
    "GOOG 02-28 801.2",
    "MSFT 02-28 27.8",
  ]);
  assertEquals((await at("2013-03-02T06:00:00Z")).length, 4);
});

Deno.test("the sandbox answers conditional and ranged requests", async () => {
  const { ask } = sandboxAt();
  const path = "/stooq/q/d/l/?s=ibm.us&i=d";
  const whole = await ask(path);
  const etag = whole.headers.get("etag")!;
  const text = await whole.text();
  const status = async (headers: HeadersInit) => (await ask(path, { headers })).status;

  assertEquals(await status({ "if-none-match": etag }), 304);
  assertEquals(await status({ "if-modified-since": whole.headers.get("last-modified")! }), 304);
  const rest = await ask(path, { headers: { range: "bytes=10-", "if-range": etag } });
  assertEquals([rest.status, await rest.text()], [206, text.slice(10)]);
  assertEquals(await status({ range: "bytes=10-", "if-range": '"other"' }), 200);
  assertEquals(await status({ range: "bytes=999999-" }), 416);
});

Deno.test("the sandbox lets things go wrong as often as it is told", async () => {
  const { ask, sandbox } = sandboxAt();
  const rule = { fault: { kind: "status", status: 503 }, match: "IBM", times: 2 };
  const put = await ask("/_sandbox/faults", { method: "POST", body: JSON.stringify(rule) });
  const status = async (symbol: string) => (await ask(`${eod}&symbols=${symbol}`)).status;

  assertEquals(await put.json(), [rule]);
  assertEquals([await status("AAPL"), await status("IBM"), await status("IBM")], [200, 503, 503]);
  assertEquals(await status("IBM"), 200);
  assertEquals((await ask("/_sandbox/faults", { method: "POST", body: "{}" })).status, 400);
  assertEquals((await ask("/_sandbox/as-of", { method: "PUT", body: '{"at":"x"}' })).status, 400);
  assertEquals((await ask("/_sandbox/nothing")).status, 404);
  assertEquals(sandbox.seen.length, 4);
});

Deno.test("deviations are about bars that there are", () => {
  const known = new Set(bars.map((bar) => `${bar.symbol} ${bar.date}`));
  assertEquals(deviations.filter((d) => !known.has(`${d.symbol} ${d.date}`)), []);
});
