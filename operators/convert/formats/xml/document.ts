/** @module Reads the XML of a file from its first to its last byte. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import { firstBadByte, placedError, XmlError } from "./error.ts";
import { BadBytes, XmlInput } from "./input.ts";
import { NameTable } from "./namespaces.ts";
import { XmlParser, type XmlSink } from "./parser.ts";

/** How to read a document. */
export interface DocumentOptions {
  /** Makes what the document is told to; it may ask the parser for offsets. */
  sink(parser: () => XmlParser): XmlSink;
  /** Names to use; those of another pass over the same document. */
  names?: NameTable;
  /** Between two windows. */
  between?(): Promise<void>;
  /** Stop after so many windows. */
  windowsMax?: number;
  /** What the file is meant to be, for messages. */
  what?: string;
}

/** Read a document; false when it was not read to its end. Throws CORRUPT where it is not well-formed. */
export async function readDocument(
  { file, signal }: Pick<ReadCall, "file" | "signal">,
  { sink, names = new NameTable(), between, windowsMax = Infinity, what }: DocumentOptions,
): Promise<boolean> {
  // What is no UTF-8 and says no encoding is no document, however well it can be guessed.
  if (file.encoding?.by === "letters") {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as ${what ?? "XML"}: its bytes are not UTF-8, and it declares no ` +
        `other encoding; they might be ${file.encoding.name}: name it with "encoding" if they are`,
    );
  }
  using input = await Deno.open(file.path);
  try {
    let parser: XmlParser | null = null;
    const source = new XmlInput((into) => input.readSync(into));
    parser = new XmlParser(source, sink(() => parser!), names);
    for (let window = 0; window < windowsMax; window++) {
      signal.throwIfAborted();
      const isMore = parser.advance();
      await between?.();
      if (!isMore) return true;
    }
    return false;
  } catch (error) {
    throw await placedError(
      error instanceof BadBytes
        ? new XmlError("its bytes are not UTF-8", await firstBadByte(file.path))
        : error,
      file,
      what,
    );
  }
}
