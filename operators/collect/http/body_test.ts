import { assertEquals, assertThrows } from "@std/assert";
import { holds } from "./body.ts";
import { expectedDigests, RunningDigest } from "./digest.ts";
import { parseRetryAfter } from "./failure.ts";
import { valueAt } from "./json_pointer.ts";
import { SeenRecords } from "./records.ts";

Deno.test("holds() looks at text, at what is there, and at values", () => {
  const document = { error: { code: 7, list: [] }, note: "Slow Down" };

  assertEquals(holds({ text: "HITS LIMIT" }, "exceeded the hits limit", undefined), true);
  assertEquals(holds({ pointer: "/note" }, "", document), true);
  assertEquals(holds({ pointer: "/error/list" }, "", document), false);
  assertEquals(holds({ pointer: "/nothing" }, "", document), false);
  assertEquals(holds({ pointer: "/error/code", equals: 7 }, "", document), true);
  assertEquals(holds({ pointer: "/note", contains: "slow" }, "", document), true);
});

Deno.test("valueAt() reads JSON pointers, their escapes too", () => {
  assertEquals(valueAt({ "a/b": { "c~d": [1, 2] } }, "/a~1b/c~0d/1"), 2);
  assertEquals(valueAt([], ""), []);
  assertEquals(valueAt({ a: 1 }, "/a/b"), undefined);
  assertEquals(valueAt({}, "/constructor"), undefined);
  assertThrows(() => valueAt({}, "a"), TypeError, 'must start with "/"');
});

Deno.test("parseRetryAfter() reads seconds and dates, by the server's own clock", () => {
  const now = new Date("2030-01-01T00:00:00Z");
  const ms = (retryAfter: string, date?: string) =>
    parseRetryAfter(new Headers({ "retry-after": retryAfter, ...(date ? { date } : {}) }), now);

  assertEquals(ms("120"), 120_000);
  assertEquals(ms("Tue, 01 Jan 2030 00:01:00 GMT"), 60_000);
  assertEquals(ms("Tue, 01 Jan 2030 00:01:00 GMT", "Tue, 01 Jan 2030 00:00:30 GMT"), 30_000);
  assertEquals(ms("Mon, 31 Dec 2029 00:00:00 GMT"), 0);
  assertEquals(ms("soon"), null);
  assertEquals(parseRetryAfter(new Headers(), now), null);
});

Deno.test("RunningDigest checks every digest header that it knows", () => {
  const check = (headers: Record<string, string>) => {
    const expected = expectedDigests(new Headers(headers));
    const digest = new RunningDigest(expected);
    digest.update(new TextEncoder().encode("hello "));
    digest.update(new TextEncoder().encode("world"));
    return digest.finish(expected).missed.map(({ header, algorithm }) => `${header} ${algorithm}`);
  };
  const sha256 = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";

  assertEquals(check({ "content-md5": "XrY7u+Ae7tCTyyK7j1rNww==" }), []);
  assertEquals(check({ "digest": `SHA-256=${sha256},MD5=AAAA` }), ["Digest md5"]);
  assertEquals(check({ "repr-digest": `sha-256=:${sha256}:, unixsum=:AAA=:` }), []);
  assertEquals(check({ "content-digest": `sha-256=:${"A".repeat(43)}=:` }), [
    "Content-Digest sha256",
  ]);
});

Deno.test("SeenRecords forgets the oldest past its limit", () => {
  const seen = new SeenRecords(2);
  seen.add(["a", "b", "c"]);
  assertEquals(seen.repeats(["a", "b", "c", "d"]), 2);
});
