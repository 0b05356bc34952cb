import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import type { RowAccounting, TableRef } from "../../src/model/data.ts";
import { type TableContext, tableContext } from "../../tests/support/table_context.ts";
import { inspectFile } from "./local.ts";
import { ConvertParams } from "./params.ts";
import { run } from "./run.ts";

const key = "a key of sufficient length";
/** Nothing that is written may have any of these. */
const markers = ["zelda.marker@example.com", "4111111111111111", "Zeldamarker", "+442079460958"];
const header = "id,email,card,first_name,phone,birth_date,note\n";
const good = `1,${markers[0]},${markers[1]},${markers[2]},${markers[3]},1990-02-03,x\n`;

async function convert(t: TableContext, content: string, params: Record<string, unknown>) {
  const file = await t.raw(content, { name: "people.csv" });
  const outcome = await run({
    params: ConvertParams.parse(params),
    inputs: { from: t.rawFiles([file]) },
    ctx: {
      ...t.ctx,
      connection: () => Promise.resolve({ password: key }),
      variable: () => Promise.resolve(key),
    } as unknown as TableContext["ctx"],
  });
  if (outcome.kind !== "done") throw new Error(outcome.kind);
  const output = outcome.output as TableRef;
  return { output, rows: await t.rowsOf(output), effects: outcome.effects! };
}

Deno.test("personal data", async (t) => {
  await using context = await tableContext();

  await t.step("is masked, hashed, tokenised, truncated or dropped by kind or column", async () => {
    const { rows, output, effects } = await convert(context, header + good, {
      pii: {
        email: "hash",
        card: "mask",
        name: "tokenise",
        phone: "drop",
        birth_date: "truncate",
        note: "mask",
      },
      piiKey: { connection: "pii_key" },
    });
    const hash = createHmac("sha256", key).update(markers[0]).digest("hex");
    const token = createHmac("sha256", key).update(`name:${markers[2]}`).digest("hex");
    assertEquals(output.schema.columns.map(({ name, type }) => `${name} ${type}`), [
      "id BIGINT",
      "email VARCHAR",
      "card VARCHAR",
      "first_name VARCHAR",
      "birth_date DATE",
      "note VARCHAR",
    ]);
    assertEquals(rows, [
      [1, hash, "************1111", `name_${token.slice(0, 20)}`, "1990-01-01", "***"],
    ]);
    assertEquals((effects.accounting as RowAccounting).out, 1);
    assertEquals(effects.metrics!.personalData, {
      email: { kind: "email", action: "hash" },
      card: { kind: "card", action: "mask" },
      first_name: { kind: "name", action: "tokenise" },
      phone: { kind: "phone", action: "drop" },
      birth_date: { kind: "birth_date", action: "truncate" },
      note: { kind: null, action: "mask" },
    });
  });

  await t.step("of a declared column under another name is found by its texts", async () => {
    const columns = [{ name: "c1", type: "VARCHAR" }, { name: "c2", type: "BIGINT" }];
    const { rows } = await convert(context, `c1,c2\n${markers[0]},1\n${markers[0]},2\n`, {
      schema: { name: "t", columns },
      pii: { email: "mask" },
    });
    assertEquals(rows, [["***@example.com", 1], ["***@example.com", 2]]);
  });

  await t.step(
    "is in nothing that a task writes or says but the quarantine's raw text",
    async () => {
      const columns = ["email", "card", "first_name"].map((name) => ({ name, type: "VARCHAR" }));
      const typed = [{ name: "id", type: "BIGINT" }, { name: "phone", type: "BIGINT" }];
      const bad = good.replace("+44", "tel +44");
      const { output, effects } = await convert(context, header + good + bad, {
        schema: { name: "t", columns: [...columns, ...typed] },
        ignore: ["*"],
        pii: { email: "hash", card: "hash", first_name: "hash" },
        piiKey: { variable: "pii_key" },
      });
      const [quarantine] = effects.quarantine!;
      assertEquals(quarantine.reasons, { type: 1 });
      const reported = JSON.stringify({
        output,
        effects: {
          ...effects,
          quarantine: [{
            ...quarantine,
            sample: quarantine.sample.map(({ raw: _, ...row }) => row),
          }],
        },
      });
      const written = [reported];
      for (const file of output.files) {
        written.push(new TextDecoder("latin1").decode(await Deno.readFile(context.pathOf(file))));
      }
      for (const marker of [...markers, key]) {
        assert(written.every((text) => !text.includes(marker)), `${marker} was written`);
      }
      assert(quarantine.sample[0].raw.includes(markers[0]));
    },
  );

  await t.step("is not in the error of a frozen schema", async () => {
    const error = await assertRejects(() =>
      convert(context, `phone\n${markers[3]}x\n`, {
        schema: { name: "t", columns: [{ name: "phone", type: "BIGINT" }] },
        onDrift: "freeze",
      })
    ) as Error;
    assert(!error.message.includes(markers[3]), error.message);
  });

  await t.step("is masked in what inspect shows, unless it is to be raw", async () => {
    const path = `${context.root}/objects/people.csv`;
    await Deno.writeTextFile(path, header + good + good + "3,4\n");
    const inspect = async (raw: boolean) => {
      const workDir = await Deno.makeTempDir({ dir: `${context.root}/work` });
      return JSON.stringify(
        await inspectFile(path, { raw }, { engine: context.ctx.engine, workDir }),
      );
    };
    const [masked, raw] = [await inspect(false), await inspect(true)];
    for (const marker of markers) {
      assert(!masked.includes(marker), `${marker} is shown`);
      assert(raw.includes(marker) || raw.includes(marker.slice(1)));
    }
  });

  await t.step("needs a key, and columns that are there", async () => {
    assertThrows(() => ConvertParams.parse({ pii: { email: "hash" } }), Error, "piiKey");
    assertThrows(
      () =>
        ConvertParams.parse({
          schema: { name: "t", columns: [{ name: "dob", type: "DATE" }] },
          pii: { dob: "mask" },
        }),
      Error,
      "declare VARCHAR",
    );
    await assertRejects(
      () => convert(context, header + good, { pii: { emial: "mask" } }),
      Error,
      '"emial" is no column and no kind',
    );
  });
});
