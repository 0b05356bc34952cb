/** @module XBRL: instances, inline documents and SEC's JSON, a row a fact. */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { readDocument } from "../xml/document.ts";
import { NameTable } from "../xml/namespaces.ts";
import { rawText } from "../xml/raw_text.ts";
import { type Fact, factColumns, FactReader } from "./facts.ts";
import type { Resources } from "./resources.ts";
import { isSecFacts, secBytesMax, secColumns, secRows } from "./sec.ts";

/** Business reporting. */
export const xbrl: Format = {
  name: "xbrl",
  extensions: ["xbrl", "xml", "xhtml", "htm", "html"],
  mediaType: "application/xbrl-instance+xml",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head).trimStart();
    if (text.startsWith("{")) return isSecFacts(text) ? 0.97 : 0;
    if (!text.startsWith("<")) return 0;
    if (
      /<(\w[\w.\-]*:)?xbrl[\s>]/.test(text) && text.includes("http://www.xbrl.org/2003/instance")
    ) {
      return 0.98;
    }
    return /http:\/\/www\.xbrl\.org\/20\d\d\/inlineXBRL/.test(text) ? 0.98 : 0;
  },
  read: readFacts,
};

async function readFacts(call: ReadCall): Promise<RowSource> {
  const { file } = call;
  const begin = await rawText(file.path, 0, 4096);
  if (/^\ufeff?\s*\{/.test(begin)) return await readSec(call);
  const names = new NameTable();
  const resources: Resources = { contexts: new Map(), units: new Map() };
  const continuations = new Map<string, { text: string; next: string | null }>();
  const pass = async (tell: ((fact: Fact) => void) | null): Promise<FactReader> => {
    let reader: FactReader;
    await readDocument(call, {
      names,
      sink: (parser) => reader = new FactReader(parser, { resources, continuations, tell }),
      what: "XBRL",
    });
    return reader!;
  };
  const { isXbrl } = await pass(null);
  if (!isXbrl) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as XBRL: it has no element of an instance or of inline XBRL`,
    );
  }
  const stage = new TextStage(call, factColumns);
  const refused: (Fact & { row: number })[] = [];
  let row = 0;
  try {
    await pass((fact) => {
      row++;
      const { offset, endOffset } = fact;
      if (fact.why !== null) refused.push({ ...fact, row });
      else stage.add(fact.cells, { row, offset, bytes: Math.max(0, endOffset - offset) });
    });
  } catch (error) {
    stage.close();
    throw error;
  }
  for (const { row, offset, endOffset, why, cells } of refused) {
    await call.refuse({
      file: file.name,
      row,
      offset: file.isAsCollected ? offset : null,
      column: null,
      rule: "xbrl",
      reason: `Fact ${row}, ${cells[0]}, is refused: ${why}`,
      raw: await rawText(file.path, offset, Math.max(0, endOffset - offset)),
    });
  }
  return stage.finish();
}

async function readSec(call: ReadCall): Promise<RowSource> {
  const { file, signal } = call;
  if (file.bytes > secBytesMax) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name}: it has ${file.bytes} bytes, and company facts are read up to ` +
        `${secBytesMax}`,
    );
  }
  const text = await Deno.readTextFile(file.path, { signal });
  const stage = new TextStage(call, secColumns);
  let row = 0;
  try {
    for (const cells of secRows(text.replace(/^\ufeff/, ""), file.name)) {
      stage.add(cells, { row: ++row, offset: null, bytes: null });
    }
  } catch (error) {
    stage.close();
    throw error;
  }
  return stage.finish();
}
