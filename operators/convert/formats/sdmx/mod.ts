/** @module SDMX: CSV, ML and JSON, a row an observation with all dimensions and attributes. */
import { AppError } from "../../../../src/model/errors.ts";
import { csv } from "../csv/mod.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { readDocument } from "../xml/document.ts";
import { ElementSink } from "../xml/elements.ts";
import { jsonBytesMax, jsonObservations } from "./json.ts";
import { MarkupReader } from "./markup.ts";
import { type Observation, SdmxMessage } from "./observations.ts";

/** Statistical data and metadata exchange. */
export const sdmx: Format = {
  name: "sdmx",
  extensions: ["sdmx"],
  mediaType: "application/vnd.sdmx.data+csv",
  content: "text",
  recognise(head) {
    const text = beginOf(head);
    if (text.startsWith("<")) {
      return /sdmx\.org\/resources\/sdmxml|SDMX\.org/i.test(text) ? 0.97 : 0;
    }
    if (text.startsWith("{")) return looksLikeJson(text) ? 0.96 : 0;
    return /^"?STRUCTURE(\[[^\]]{0,3}\])?"?[,;\t|]"?STRUCTURE_ID"?[,;\t|]/.test(text) ||
        /^"?DATAFLOW"?[,;\t|][^\n]*TIME_PERIOD[^\n]*OBS_VALUE/.test(text) ||
        /^"?DATAFLOW"?[,;\t|][^\n]*OBS_VALUE[^\n]*TIME_PERIOD/.test(text)
      ? 0.96
      : 0;
  },
  read: readSdmx,
};

function beginOf(head: Uint8Array): string {
  return new TextDecoder().decode(head.subarray(0, 16 * 1024)).trimStart();
}

function looksLikeJson(text: string): boolean {
  if (/sdmx-json|sdmx\.data\+json/.test(text)) return true;
  return /"dataSets"\s*:/.test(text) && /"(structures?|dimensions|observations)"\s*:/.test(text);
}

async function readSdmx(call: ReadCall): Promise<RowSource> {
  const begin = beginOf(await headOf(call.file.path));
  if (!begin.startsWith("<") && !begin.startsWith("{")) return await readCsv(call);
  const observations = begin.startsWith("<") ? markup : json;
  try {
    const columns = new Map<string, number>();
    await observations(call, ({ values }) => {
      for (const name of values.keys()) if (!columns.has(name)) columns.set(name, columns.size);
    });
    return await stage(call, columns, observations);
  } catch (error) {
    if (!(error instanceof SdmxMessage)) throw error;
    throw new AppError("CORRUPT", `Cannot read ${call.file.name} as SDMX: ${error.why}`);
  }
}

type Read = (call: ReadCall, tell: (observation: Observation) => void) => Promise<void>;

async function stage(
  call: ReadCall,
  columns: ReadonlyMap<string, number>,
  observations: Read,
): Promise<RowSource> {
  const rows = new TextStage(call, [...columns.keys()]);
  let row = 0;
  try {
    await observations(call, ({ values, offset, endOffset }) => {
      const cells: (string | null)[] = new Array(columns.size).fill(null);
      for (const [name, value] of values) cells[columns.get(name)!] = value;
      const hasPlace = endOffset > offset;
      rows.add(cells, {
        row: ++row,
        offset: hasPlace ? offset : null,
        bytes: hasPlace ? endOffset - offset : null,
      });
    });
  } catch (error) {
    rows.close();
    throw error;
  }
  return rows.finish();
}

const markup: Read = async (call, tell) => {
  const reader = new MarkupReader(tell);
  await readDocument(call, {
    sink: (parser) => new ElementSink(reader, parser),
    what: "SDMX",
  });
  if (reader.dataSets === 0) {
    throw new SdmxMessage(
      'it has no data set; a message of structures is read with format: "xml"',
    );
  }
};

const json: Read = async ({ file, signal }, tell) => {
  if (file.bytes > jsonBytesMax) {
    throw new SdmxMessage(
      `it has ${file.bytes} bytes, and SDMX-JSON is read up to ${jsonBytesMax}; ask its service for CSV`,
    );
  }
  const text = await Deno.readTextFile(file.path, { signal });
  for (const observation of jsonObservations(text.replace(/^\ufeff/, ""), file.name)) {
    tell(observation);
  }
};

/** SDMX-CSV is CSV; with labels, columns are named `ID: Name`. */
async function readCsv(call: ReadCall): Promise<RowSource> {
  const source = await csv.read({ ...call, options: { ...call.options, header: true } });
  const named = (from: RowSource): RowSource => ({
    ...from,
    columns: from.columns.map((column) => ({
      ...column,
      name: column.name.replace(/^([A-Z][A-Z0-9_]*): .*$/s, "$1"),
    })),
    ...(from.numbered ? { numbered: named(from.numbered) } : {}),
  });
  return named(source);
}

async function headOf(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(16 * 1024);
  return head.subarray(0, await file.read(head) ?? 0);
}
