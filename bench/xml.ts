/**
 * @module How fast `convert` reads XML beside `lxml.iterparse` into rows, in the same run: the whole
 * conversion into Parquet, types inferred and accounting on, against dictionaries in memory.
 *
 * Medians of interleaved rounds. `TIDEWHEEL_PYTHON` names a Python with lxml; without one only the
 * conversion is measured.
 */
import { systemClock } from "../src/base/clock.ts";
import { startEngine } from "../src/engine/client.ts";
import { convertFiles } from "../operators/convert/convert_files.ts";
import { ConvertParams } from "../operators/convert/params.ts";
import type { Figure } from "./pipeline.ts";

const lxml = `
import sys
from lxml import etree
rows = []
for _, record in etree.iterparse(sys.argv[1], tag="{urn:example:trades}Trade"):
    row = dict(record.attrib)
    for element in record.iter():
        if element.text: row[element.tag] = element.text
        for name, value in element.attrib.items(): row[element.tag + "@" + name] = value
    rows.append(row)
    record.clear()
    if len(rows) > 10000: rows = []
`;

/** Measure with a document of about `megabytes`. */
export async function xmlFigures(
  { megabytes = 80, rounds = 3 }: { megabytes?: number; rounds?: number } = {},
): Promise<Figure[]> {
  const root = await Deno.makeTempDir();
  const workDir = `${root}/work`;
  const path = `${root}/inputs/trades.xml`;
  await Deno.mkdir(workDir);
  await Deno.mkdir(`${root}/inputs`);
  const engine = await startEngine({
    workDir,
    allowedDirectories: [`${root}/inputs`],
    memoryBytes: 1024 ** 3,
  });
  try {
    const bytes = await writeTrades(path, megabytes);
    const python = Deno.env.get("TIDEWHEEL_PYTHON");
    const times = { convert: [] as number[], lxml: [] as number[] };
    const timed = async (into: number[], work: () => Promise<unknown>) => {
      const before = systemClock.monotonicMs();
      await work();
      into.push(systemClock.monotonicMs() - before);
    };
    for (let round = 0; round < rounds; round++) {
      if (python !== undefined) await timed(times.lxml, () => runLxml(python, path));
      await timed(times.convert, async () => {
        const raw = { path, name: "trades.xml", key: "x", source: "bench", labels: {} };
        const signal = new AbortController().signal;
        const params = ConvertParams.parse({});
        const converted = await convertFiles([raw], params, { engine, workDir, signal });
        await converted.quarantine.close();
        for (const file of converted.files) await Deno.remove(file.path);
      });
    }
    const speed = (ms: number[]) =>
      bytes / 1000 / ms.toSorted((a, b) => a - b)[Math.floor(ms.length / 2)];
    const convert = {
      what: "XML to Parquet, types and accounting on",
      value: speed(times.convert),
    };
    if (python === undefined) return [{ ...convert, unit: "MB/s", goal: ">= 30" }];
    return [
      { ...convert, unit: "MB/s", goal: ">= 30" },
      { what: "lxml.iterparse of the same file into rows", value: speed(times.lxml), unit: "MB/s" },
      {
        what: "ratio of the two",
        value: speed(times.convert) / speed(times.lxml),
        unit: "",
        goal: ">= 0.5",
      },
    ];
  } finally {
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function runLxml(python: string, path: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(python, { args: ["-c", lxml, path] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function writeTrades(path: string, megabytes: number): Promise<number> {
  using file = await Deno.open(path, { write: true, create: true });
  const encoder = new TextEncoder();
  let text = '<?xml version="1.0"?>\n<Trades xmlns="urn:example:trades" asOf="2026-01-02">\n';
  let bytes = 0;
  for (let row = 0; bytes < megabytes * 1e6;) {
    while (text.length < 1 << 20) text += tradeOf(row++);
    bytes += await write(file, encoder.encode(text));
    text = "";
  }
  return bytes + await write(file, encoder.encode("</Trades>\n"));
}

async function write(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
  return bytes.length;
}

function tradeOf(row: number): string {
  const price = (20 + (row * 7919 % 100_000) / 100).toFixed(4);
  const nanoseconds = String(row * 7 % 1e9).padStart(9, "0");
  return `  <Trade id="T${row}" venue="XNYS">\n    <Symbol>S${row % 500}</Symbol>\n` +
    `    <Price ccy="USD">${price}</Price>\n    <Quantity>${
      row * 104_729 % 1_000_000
    }</Quantity>\n` +
    `    <TradedAt>2026-01-02T12:34:56.${nanoseconds}</TradedAt>\n    <Buyer>\n` +
    `      <Name>Smith &amp; Sons ${row % 30}</Name>\n      <Lei>5493001KJTIIGC8Y1R${
      row % 90 + 10
    }` +
    `</Lei>\n    </Buyer>\n    <Note>${row % 50 === 0 ? "é" : ""}note ${
      row % 97
    }</Note>\n  </Trade>\n`;
}
