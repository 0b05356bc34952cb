/**
 * @module XML: records are the elements at a path, or those that repeat. Attributes are columns
 * `@name`, elements `name`, deeper ones `a/b/@c`; what repeats is JSON, mixed content stays XML.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { findRecords, noRecords, recordsAt } from "./choose.ts";
import { type CollectedRecord, Collector, Surprise } from "./collect.ts";
import { readDocument } from "./document.ts";
import { areKnown, type Layout, layOut } from "./layout.ts";
import { rawText } from "./raw_text.ts";
import { Learner, type PathNode, Structure, TooManyPaths } from "./structure.ts";

/** Windows of a document from which its structure is learned: 4 MB. */
const LEARN_WINDOWS = 16;
/** Passes over a document: columns, records or their order may turn out others than they seemed. */
const PASSES_MAX = 6;

/** XML documents of records. */
export const xml: Format = {
  name: "xml",
  extensions: ["xml"],
  mediaType: "application/xml",
  content: "text",
  recognise: (head, name) => recogniseXml(head, name),
  read: readXml,
};

function recogniseXml(head: Uint8Array, name: string): number {
  const text = new TextDecoder().decode(head.subarray(0, 16 * 1024))
    .replace(/^(\s*<!--.*?-->)+/s, "").trimStart();
  if (/^<!doctype\s+html|^<html[\s>]/i.test(text)) return 0;
  if (text.startsWith("<?xml")) return 0.9;
  // An element, or an instruction or a document type before it; of a comment nothing is known yet.
  if (!/^<([\p{L}_:][\p{L}\p{N}\p{M}\w:.\-]*[\s/>]|\?[\p{L}_]|!DOCTYPE)/u.test(text)) return 0;
  return /\.xml(\.gz)?$/i.test(name) ? 0.85 : 0.6;
}

/** Read a document as records. */
export async function readXml(call: ReadCall): Promise<RowSource> {
  try {
    return await new XmlReading(call).read();
  } catch (error) {
    if (!(error instanceof TooManyPaths)) throw error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as XML: it has too many different elements for a document of ` +
        `records; names of its elements may be data`,
    );
  }
}

/** Reads one document into rows. */
class XmlReading {
  readonly #call: ReadCall;
  readonly #structure = new Structure();
  #isWhole = false;

  constructor(call: ReadCall) {
    this.#call = call;
  }

  async read(): Promise<RowSource> {
    const { options } = this.#call;
    this.#isWhole = await this.#learn(LEARN_WINDOWS);
    if (!this.#isWhole && !areKnown(this.#structure, options.pointers)) await this.#learnAll();
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      const record = await this.#record();
      const layout = layOut(this.#structure, record, {
        pointers: options.pointers,
        withAncestors: options.records === undefined,
        name: this.#call.file.name,
      });
      const source = await this.#stage(layout);
      if (source) return source;
      await this.#learnAll();
    }
    throw new AppError(
      "CORRUPT",
      `Cannot read ${this.#call.file.name} as XML: it changes while it is read`,
    );
  }

  async #record(): Promise<PathNode> {
    const { options: { records }, file: { name } } = this.#call;
    if (records === undefined) return findRecords(this.#structure, this.#isWhole, name);
    const found = recordsAt(this.#structure, records, name);
    if (found) return found;
    if (!this.#isWhole) await this.#learnAll();
    const late = recordsAt(this.#structure, records, name);
    if (late) return late;
    throw noRecords(this.#structure, records, name);
  }

  async #learnAll(): Promise<void> {
    await this.#learn(Infinity);
    this.#isWhole = true;
  }

  #learn(windowsMax: number): Promise<boolean> {
    return readDocument(this.#call, {
      names: this.#structure.names,
      sink: () => new Learner(this.#structure),
      windowsMax,
    });
  }

  /** Null when the document is not as it was learned. */
  async #stage(layout: Layout): Promise<RowSource | null> {
    const stage = new TextStage(this.#call, layout.columns);
    const refused: Omit<CollectedRecord, "cells">[] = [];
    const isFound = this.#call.options.records === undefined;
    let collector: Collector;
    try {
      await readDocument(this.#call, {
        names: this.#structure.names,
        sink: (parser) =>
          collector = new Collector({
            structure: this.#structure,
            layout,
            isFound,
            offsets: parser,
            record({ cells, ...record }) {
              if (record.skipped !== null) refused.push(record);
              else stage.add(cells, record);
            },
          }),
      });
    } catch (error) {
      stage.close();
      if (error instanceof Surprise) return null;
      throw error;
    }
    const { inside, outside } = collector!;
    if (isFound && !this.#isWhole && outside > inside) {
      stage.close();
      return null;
    }
    // A document that was not read to its end before may have more elements of that name.
    if (!isFound) recordsAt(this.#structure, this.#call.options.records!, this.#call.file.name);
    await this.#refuse(refused);
    return stage.finish();
  }

  async #refuse(refused: readonly Omit<CollectedRecord, "cells">[]): Promise<void> {
    const { file, refuse } = this.#call;
    for (const { row, offset, bytes, skipped } of refused) {
      await refuse({
        file: file.name,
        row,
        offset: file.isAsCollected ? offset : null,
        column: null,
        rule: "external_entity",
        reason: `Record ${row} is refused: it refers to the entity "${skipped}", which lies ` +
          `outside of the document and is not fetched`,
        raw: await rawText(file.path, offset, bytes),
      });
    }
  }
}
