import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFiles } from "../../convert_files.ts";
import { ConvertParams } from "../../params.ts";
import { yamlDocuments } from "./document.ts";
import { yaml } from "./mod.ts";

function documents(text: string): string[] {
  const taken: string[] = [];
  yamlDocuments(text, "x", ({ elements, json }) => taken.push(elements ? `[${elements}]` : json));
  return taken;
}

Deno.test("YAML becomes the JSON that it stands for, numbers as they are written", () => {
  assertEquals(
    documents(
      'a: 1.50\nb: 12345678901234567890\nc: "007"\nd: 007\ne: .5\nf: +1\ng: 0x1F\nh: -.inf\ni: .nan\n' +
        "j: ~\nk: yes\nl: true\nm: 2024-01-02\nn: !!binary AP8=\no: 1e400\np: |\n  x\n  y\nq: 5.\n1: one\n",
    ),
    [
      '{"1":"one","a":1.50,"b":12345678901234567890,"c":"007","d":"007","e":0.5,"f":1,"g":31,' +
      '"h":"-Infinity","i":"NaN","j":null,"k":"yes","l":true,"m":"2024-01-02","n":"AP8=",' +
      '"o":1e400,"p":"x\\ny\\n","q":5}',
    ],
  );
});

Deno.test("anchors, merges and streams of documents are written out", () => {
  assertEquals(
    documents("- &a {x: 1, y: [2]}\n- *a\n- <<: *a\n  x: 3\n---\nb: 1\n---\n"),
    ['[{"x":1,"y":[2]},{"x":1,"y":[2]},{"x":3,"y":[2]}]', '{"b":1}', "null"],
  );
});

Deno.test("what is no YAML, or would be more than data, is refused with its offset", () => {
  const laughs = ["a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]"];
  for (const [i, name] of [..."bcdefghij"].entries()) {
    const before = "abcdefghij"[i];
    laughs.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(",")}]`);
  }
  for (
    const [text, why] of [
      ["a: é\nb: [1,", "at byte 12, "],
      ["a: 1\na: 2\n", "at byte 5, duplicated mapping key"],
      ["a: !ruby/object:Gem x\n", "unknown tag"],
      ["a: !!js/function 'x'\n", "unknown tag"],
      ["a: &a [*a]\n", "inside of what it stands for"],
      ["a: *b\n", "unidentified alias"],
      [laughs.join("\n"), "its aliases stand for more than"],
      ["[".repeat(100_000), "nesting exceeded"],
    ] as const
  ) assertThrows(() => documents(text), Error, why);
});

Deno.test("YAML that is cut or damaged is read or refused", () => {
  const whole = "- {s: a, p: 1.5}\n- s: \"b\\u00e9\"\n  p: &x [1, 'y']\n  q: *x\n...\n";
  const bytes = new TextEncoder().encode(whole);
  const judge = (part: Uint8Array) => {
    try {
      for (const json of documents(new TextDecoder().decode(part))) JSON.parse(json);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "CORRUPT", String(error));
    }
  };
  for (let length = 0; length < bytes.length; length++) judge(bytes.subarray(0, length));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    judge(flipped);
  }
});

Deno.test("YAML is converted like JSON", async () => {
  await using t = await tableContext();
  let next = 0;
  const convert = async (text: string, params: Record<string, unknown> = {}) => {
    const path = `${t.root}/objects/${next++}.yaml`;
    await Deno.writeTextFile(path, text);
    const workDir = `${t.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.yaml", key: "x", source: "s", labels: {} };
    const { engine, signal } = t.ctx;
    const result = await convertFiles([raw], ConvertParams.parse(params), {
      engine,
      workDir,
      signal,
    });
    await result.quarantine.close();
    const names = result.schema.columns.map(({ name }) => `"${name}"::VARCHAR`).join(", ");
    const { rows } = await engine.run(
      `SELECT ${names} FROM read_parquet('${result.files[0].path}')`,
      { rowsMax: 100 },
    );
    return { types: result.schema.columns.map(({ type }) => type), rows };
  };
  const rows = [["IBM", "100.10", "[1]"], ["AAPL", "7.25", null]];
  const types = ["VARCHAR", "DECIMAL(18,2)", "JSON"];
  assertEquals(await convert("- s: IBM\n  p: 100.10\n  l: [1]\n- {s: AAPL, p: 7.25}\n"), {
    types,
    rows,
  });
  assertEquals(await convert("s: IBM\np: 100.10\nl: [1]\n---\ns: AAPL\np: 7.25\n"), {
    types,
    rows,
  });
  const deep = "meta: 1\nbars:\n- s: IBM\n  p: 100.10\n  l: [1]\n- {s: AAPL, p: 7.25}\n";
  assertEquals(await convert(deep, { records: "/bars" }), { types, rows });
  await assertRejects(() => convert("a: [", {}), Error, "as YAML");
});

Deno.test("YAML is told by its content, and JSON is not taken for it", () => {
  const sure = (text: string, name = "x") => yaml.recognise(new TextEncoder().encode(text), name);
  assertEquals(sure('{"a": 1}', "x.yaml"), 0);
  assertEquals(sure("---\na: 1\n") >= 0.8, true);
  assertEquals(sure("a: 1\nb:\n  - x\n") > 0.5, true);
  assertEquals(sure("a,b\n1,2\n"), 0);
  assertEquals(sure("a: 1\n", "x.yml") > 0.9, true);
});
