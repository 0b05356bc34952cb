/** @module OFX and QFX: bank, card and investment statements, a row a transaction. */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { readDocument } from "../xml/document.ts";
import { ElementSink, type XmlElement } from "../xml/elements.ts";
import type { OfxElement } from "./elements.ts";
import { errorOf, ofxColumns, type OfxRow, ofxRows } from "./rows.ts";
import { parseSgml } from "./sgml.ts";
import { OfxValueError } from "./values.ts";

/** A document is held whole: this large at most. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Open financial exchange, 1.x and 2.x, and Quicken's QFX. */
export const ofx: Format = {
  name: "ofx",
  extensions: ["ofx", "qfx"],
  mediaType: "application/x-ofx",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head.subarray(0, 4096)).trimStart();
    if (/^OFXHEADER\s*:/i.test(text)) return 0.99;
    if (/<\?OFX\s/i.test(text) || /^(<\?xml[^>]*>\s*)?<OFX>/i.test(text)) return 0.99;
    return 0;
  },
  read: readOfx,
};

async function readOfx(call: ReadCall): Promise<RowSource> {
  const { file, signal } = call;
  if (file.bytes > BYTES_MAX) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as OFX: it has ${file.bytes} bytes, and OFX is read up to ${BYTES_MAX}`,
    );
  }
  const text = (await Deno.readTextFile(file.path, { signal })).replace(/^\ufeff/, "");
  const isXml = /^\s*<\?(xml|OFX)\s/i.test(text);
  const root = isXml ? await readXmlRoot(call) : readSgmlRoot(text, file.name);
  if (root.tag !== "OFX") {
    throw new AppError("CORRUPT", `Cannot read ${file.name} as OFX: it begins with <${root.tag}>`);
  }
  return await stage(call, root, text, isXml);
}

function readSgmlRoot(text: string, name: string): OfxElement {
  const from = text.search(/<OFX>/i);
  const header = text.slice(0, Math.max(from, 0));
  if (from < 0 || /<(?!!--)/.test(header)) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name} as OFX: there is no <OFX> behind its header`,
    );
  }
  return parseSgml(text, from, name);
}

async function readXmlRoot(call: ReadCall): Promise<OfxElement> {
  let root: XmlElement | null = null;
  await readDocument(call, {
    sink: (parser) =>
      new ElementSink({
        ended(element) {
          root = element;
          return "keep";
        },
      }, parser),
    what: "OFX",
  });
  return fromXml(root!);
}

function fromXml({ name, text, kids, offset, endOffset }: XmlElement): OfxElement {
  return {
    tag: name.local.toUpperCase(),
    text: kids.length === 0 ? text.trim() : "",
    kids: kids.map(fromXml),
    offset,
    endOffset,
  };
}

async function stage(
  call: ReadCall,
  root: OfxElement,
  text: string,
  isXml: boolean,
): Promise<RowSource> {
  const { file } = call;
  const rows = new TextStage(call, ofxColumns);
  const counter = { statements: 0 };
  const refused: (OfxRow & { row: number; offset: number; raw: string })[] = [];
  const encoder = new TextEncoder();
  let row = 0;
  let known = { chars: 0, bytes: 0 };
  const offsetOf = (chars: number): number => {
    if (isXml) return chars;
    // Forward only, so that the text is encoded once.
    if (chars >= known.chars) {
      const bytes = known.bytes + encoder.encode(text.slice(known.chars, chars)).length;
      known = { chars, bytes };
    }
    return known.bytes;
  };
  try {
    for (const each of ofxRows(root, counter)) {
      row++;
      const { offset, endOffset } = each.element;
      const at = offsetOf(offset);
      const raw = isXml ? "" : text.slice(offset, endOffset);
      if (each.why !== null) refused.push({ ...each, row, offset: at, raw });
      else rows.add(each.cells, { row, offset: at, bytes: Math.max(0, offsetOf(endOffset) - at) });
    }
    if (counter.statements === 0) {
      const why = errorOf(root);
      throw new AppError(
        "CORRUPT",
        `Cannot read ${file.name} as OFX: it has no statement` +
          (why === null ? "" : `; its server says ${why}`),
      );
    }
  } catch (error) {
    rows.close();
    if (!(error instanceof OfxValueError)) throw error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as OFX: of its statement, ${error.message}`,
    );
  }
  for (const { row, offset, why, raw } of refused) {
    await call.refuse({
      file: file.name,
      row,
      offset: file.isAsCollected ? offset : null,
      column: null,
      rule: "ofx",
      reason: `Transaction ${row} is refused: ${why}`,
      raw,
    });
  }
  return rows.finish();
}
