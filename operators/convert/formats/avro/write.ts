/** @module Writes Avro's object container files. */
import { writeAll } from "../../../table/write_all.ts";
import { deflateRawSync } from "node:zlib";
import { sha256 } from "../../../../src/base/hash.ts";
import type { WriteColumn } from "../format.ts";
import { plainRows, type PlainValue, type RowNode } from "../plain_rows.ts";
import { uniqueNames } from "../unique_names.ts";
import { ByteSink } from "./byte_sink.ts";
import { MAGIC } from "./magic.ts";
import { encoderOf, LeafCursor } from "./encode.ts";
import { NAME_PROPERTY } from "./schema.ts";

const BLOCK_BYTES = 256 * 1024;
/** Rows between two turns of the event loop. */
const encoder = new TextEncoder();

/** Write the rows of a plain Parquet file. Null is the first branch of every union. */
export async function writeAvro(
  from: string,
  to: string,
  { columns, signal }: { columns: readonly WriteColumn[]; signal: AbortSignal },
): Promise<void> {
  const rows = await plainRows(from, columns, signal);
  const schema = JSON.stringify(recordOf("rows", rows.columns));
  // Nothing in a file says when or where it was written, its marker neither.
  const sync = Uint8Array.fromHex(sha256(schema).slice(0, 32));
  const leaves = rows.columns.flatMap(({ leaves }) => leaves);
  const cursors = leaves.map(() => new LeafCursor());
  const out = new ByteSink();
  const encoders = rows.columns.map((column) => encoderOf(column, cursors, out));
  using file = await Deno.open(to, { write: true, createNew: true });
  await writeAll(file, headerOf(schema, sync));
  for await (const group of rows.groups()) {
    for (const [i, leaf] of group.leaves.entries()) cursors[i].load(leaf);
    let count = 0;
    for (let row = 0; row < group.rows; row++) {
      for (const encode of encoders) encode();
      count++;
      if (out.length < BLOCK_BYTES && row < group.rows - 1) continue;
      signal.throwIfAborted();
      await writeBlock(file, { count, bytes: out.bytes, sync });
      out.clear();
      count = 0;
    }
  }
}

async function writeBlock(
  file: Deno.FsFile,
  { count, bytes, sync }: { count: number; bytes: Uint8Array; sync: Uint8Array },
): Promise<void> {
  const packed = deflateRawSync(bytes, { level: 3 });
  const block = new ByteSink();
  block.number(count);
  block.number(packed.length);
  block.copy(packed, 0, packed.length);
  block.copy(sync, 0, sync.length);
  await writeAll(file, block.bytes);
}

function headerOf(schema: string, sync: Uint8Array): Uint8Array {
  const out = new ByteSink();
  const magic = Uint8Array.from(MAGIC, (char) => char.charCodeAt(0));
  const bytes = (content: Uint8Array) => {
    out.number(content.length);
    out.copy(content, 0, content.length);
  };
  out.copy(magic, 0, magic.length);
  const meta = { "avro.schema": schema, "avro.codec": "deflate" };
  out.number(Object.keys(meta).length);
  for (const [key, value] of Object.entries(meta)) {
    bytes(encoder.encode(key));
    bytes(encoder.encode(value));
  }
  out.byte(0);
  out.copy(sync, 0, sync.length);
  return out.bytes.slice();
}

/** Names of Avro are of letters, digits and underscores; what a field was called is kept beside. */
function recordOf(name: string, fields: readonly RowNode[]): object {
  const plain = fields.map((field) =>
    field.name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_")
  );
  const names = uniqueNames(plain.map((each) => each === "" ? "_" : each));
  return {
    type: "record",
    name,
    fields: fields.map((field, i) => ({
      name: names[i],
      type: typeOf(field, `${name}_${names[i]}`),
      ...(names[i] === field.name ? {} : { [NAME_PROPERTY]: field.name }),
    })),
  };
}

function typeOf(node: RowNode, name: string): unknown {
  const type = presentOf(node, name);
  return node.isRequired ? type : ["null", type];
}

function presentOf(node: RowNode, name: string): unknown {
  switch (node.kind) {
    case "leaf":
      return valueOf(node.type);
    case "struct":
      return recordOf(name, node.fields);
    case "list":
      return { type: "array", items: typeOf(node.item, `${name}_item`) };
    case "map": {
      const { key, value } = node;
      if (key.kind === "leaf" && key.type.kind === "utf8") {
        return { type: "map", values: typeOf(value, `${name}_value`) };
      }
      // Keys of Avro's maps are texts; of others, a map is an array of pairs, as Java writes it.
      return { type: "array", logicalType: "map", items: recordOf(`${name}_entry`, [key, value]) };
    }
  }
}

function valueOf(type: PlainValue): unknown {
  switch (type.kind) {
    case "boolean":
    case "float":
    case "double":
      return type.kind;
    case "utf8":
    case "json":
      return "string";
    case "blob":
      return "bytes";
    case "uuid":
      return { type: "string", logicalType: "uuid" };
    case "date":
      return { type: "int", logicalType: "date" };
    case "int":
      if (type.bits === 64 && !type.isSigned) {
        return { type: "bytes", logicalType: "decimal", precision: 20, scale: 0 };
      }
      return type.bits < 32 || (type.bits === 32 && type.isSigned) ? "int" : "long";
    case "decimal": {
      const { precision, scale } = type;
      return { type: "bytes", logicalType: "decimal", precision, scale };
    }
    case "time":
      return { type: "long", logicalType: "time-micros" };
    case "timestamp": {
      const unit = { ms: "millis", us: "micros", ns: "nanos" }[type.unit];
      return { type: "long", logicalType: `${type.isZoned ? "" : "local-"}timestamp-${unit}` };
    }
  }
}
