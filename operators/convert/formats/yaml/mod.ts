/** @module YAML: a sequence of records, a document with records in it, or a stream of documents. */
import { writeAllSync } from "../../../table/write_all.ts";
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { readJson } from "../json/mod.ts";
import { yamlDocuments } from "./document.ts";

/** A text is read whole: its anchors may be anywhere. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** YAML 1.2; read as the JSON that it stands for. */
export const yaml: Format = {
  name: "yaml",
  extensions: ["yaml", "yml"],
  mediaType: "application/yaml",
  content: "text",
  recognise(head, name) {
    const text = new TextDecoder().decode(head).trimStart();
    if (/^[[{<]/.test(text)) return 0;
    const isNamed = /\.ya?ml(\.\w{2,4})?$/i.test(name);
    if (/^%YAML\b|^---(\s|$)/.test(text)) return isNamed ? 0.97 : 0.8;
    const lines = text.split(/\r?\n/).slice(0, 50).filter((line) => /^\s*[^#\s]/.test(line));
    const like = lines.filter((line) =>
      /^\s*(- )*\s*("[^"]*"|'[^']*'|[\w.$/ -]+):(\s|$)|^\s*- |^(&\w+ )?!/.test(line)
    );
    const share = lines.length === 0 ? 0 : like.length / lines.length;
    if (isNamed) return share > 0.5 ? 0.95 : 0.6;
    // A tag, or the anchor of one, begins no other text.
    if (/^(&\w+\s+)?!!?[\w/.:]+\s*(\r?\n|[{[])/.test(text)) return 0.85;
    const isMapping = /^(- )?("[^"]*"|'[^']*'|[\w.$-]+):(\s|$)/.test(text);
    return share > 0.8 && isMapping ? 0.7 : 0;
  },
  read: readYaml,
};

async function readYaml(call: ReadCall): Promise<RowSource> {
  const { file, tempPath } = call;
  if (file.bytes > FILE_BYTES_MAX) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as YAML: it has ${file.bytes} bytes, more than ${FILE_BYTES_MAX}`,
    );
  }
  const text = (await Deno.readTextFile(file.path)).replace(/^\ufeff/, "");
  const path = tempPath("json");
  const isLines = await writeJson(text, file.name, path);
  const { size } = await Deno.stat(path);
  // Places in what was made of it say nothing of it.
  return await readJson(
    { ...call, file: { ...file, path, bytes: size, isAsCollected: false } },
    isLines,
  );
}

/** Write the records of several documents a line each, one document as it is; true for lines. */
async function writeJson(text: string, name: string, path: string): Promise<boolean> {
  using output = await Deno.open(path, { write: true, createNew: true });
  const encoder = new TextEncoder();
  let documents = 0;
  let first: { elements: string[] | null; json: string } | null = null;
  const write = (json: string) => writeAllSync(output, encoder.encode(json));
  const lines = ({ elements, json }: { elements: string[] | null; json: string }) =>
    write((elements ?? [json]).map((line) => `${line}\n`).join(""));
  yamlDocuments(text, name, (document) => {
    documents++;
    if (documents === 1) {
      first = document;
      return;
    }
    if (first) lines(first);
    first = null;
    lines(document);
  });
  if (!first) return documents > 0;
  const { elements, json } = first as { elements: string[] | null; json: string };
  write(elements ? `[${elements.join(",\n")}]` : json);
  return false;
}
