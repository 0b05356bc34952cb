/** @module The verb versions: what an edit of a DAG, of a module and of its calendar changed. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const dagFile = (retries: number, comment: string) =>
  `import { calendar, dag, sessions, task } from "tidewheel";
import { factor } from "./lib/factor.ts";
import desk from "./desk.json" with { type: "json" };
// ${comment}
export default dag({ id: "edited", schedule: sessions(calendar(desk)) }, () => {
  task({ id: "load", retries: ${retries} }, () => factor);
});
`;
const calendar = (closed: string) =>
  JSON.stringify({
    ...{ id: "DESK", timezone: "UTC", from: "2024-01-01", until: "2099-12-31", closed: [closed] },
    weekdays: [{ from: "2024-01-01", days: [1, 2, 3, 4, 5] }],
    hours: [{ from: "2024-01-01", open: "09:00", close: "17:00" }],
  });

let product: Product;
const verb = (...args: string[]) =>
  runVerb(["versions", "edited", ...args], {
    TIDEWHEEL_API_URL: product.url,
    TIDEWHEEL_TOKEN: product.token,
  });

/** Save these files; resolves when the DAG has that many versions. */
async function save(files: Record<string, string>, versions: number) {
  await product.write(files);
  const path = "/api/v2/dags/edited/dagVersions";
  await until(`version ${versions}`, async () => {
    const answer = await product.api.call("GET", path);
    return answer.status === 200 && answer.body.total_entries === versions;
  }, { withinMs: 60_000 });
}

Deno.test("versions lists a DAG's versions, and says what each of them changed", async () => {
  product = await startProduct();
  await using _ = product;
  await save({
    "lib/factor.ts": "export const factor = 1;\n",
    "desk.json": calendar("2026-12-25"),
    "edited.ts": dagFile(0, "first"),
  }, 1);
  // A comment is no change of meaning; the next edit is, and is the second version.
  await product.write({ "edited.ts": dagFile(0, "only said otherwise") });
  await save({ "edited.ts": dagFile(3, "only said otherwise") }, 2);
  await save({ "lib/factor.ts": "export const factor = 2;\n" }, 3);
  await save({ "desk.json": calendar("2026-12-24") }, 4);

  const listed = await verb();
  assertEquals(listed.code, 0, listed.stderr);
  assertMatch(listed.stdout, /^ +4 .*\n +3 .*\n +2 .*\n +1 /m);

  const retries = await verb("2", "--diff");
  assertEquals(retries.code, 0, retries.stderr);
  assertMatch(retries.stdout, /load[\s\S]*retries/);
  const factor = await verb("3", "--diff");
  assertStringIncludes(factor.stdout, "lib/factor.ts");
  assertStringIncludes(factor.stdout, "+export const factor = 2;");
  const closed = await verb("--diff", "--json");
  const { fields } = JSON.parse(closed.stdout);
  assertEquals(fields.length, 1);
  assertStringIncludes(JSON.stringify(fields[0].old), "2026-12-25");
  assertStringIncludes(JSON.stringify(fields[0].new), "2026-12-24");
  const both = JSON.parse((await verb("4", "1", "--diff", "--json")).stdout);
  assertEquals([both.version_number, both.with], [4, 1]);

  const wrong = await verb("9", "--diff");
  assertEquals(wrong.code, 1);
});
