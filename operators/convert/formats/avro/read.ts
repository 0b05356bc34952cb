/** @module Avro's object container files. */
import { AppError } from "../../../../src/model/errors.ts";
import { OffsetError, OffsetWindow } from "../offset_window.ts";
import type { ReadCall, RowSource } from "../format.ts";
import type { StagedType } from "../staged_type.ts";
import { type StagedColumn, TableStage } from "../staging.ts";
import { type AvroBlock, type AvroHeader, blocks, readHeader } from "./container.ts";
import { OLD_MAGIC } from "./magic.ts";
import { AvroError, Cursor, EMPTY_MAX } from "./cursor.ts";
import { type Decode, decoderOf } from "./decode.ts";
import { eachOldRecord, readOld } from "./old.ts";
import { type AvroType, columnOf, isEmptyPossible } from "./schema.ts";

type BlockPlace = Pick<AvroBlock, "offset" | "plainOffset">;

/** Read the records of a file. */
export async function readAvro(call: ReadCall): Promise<RowSource> {
  const { file } = call;
  try {
    const magic = await firstBytes(file.path);
    return magic === OLD_MAGIC ? await stageOld(call) : await stageFile(call);
  } catch (error) {
    call.signal.throwIfAborted();
    if (!(error instanceof OffsetError)) throw error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as Avro: ${error.message}, at offset ${error.offset}`,
      { cause: error, detail: { offset: error.offset } },
    );
  }
}

async function stageFile(call: ReadCall): Promise<RowSource> {
  using file = await Deno.open(call.file.path);
  const window = new OffsetWindow(file, call.file.bytes);
  const header = await readHeader(window);
  const cursor = new Cursor();
  const { stage, record } = stageFor(call, header, cursor);
  const isEmpty = isEmptyPossible(header.schema);
  for await (const block of blocks(window, header)) {
    const max = isEmpty ? EMPTY_MAX : block.bytes.length;
    if (block.records > max) {
      throw new OffsetError(
        `a block of ${block.bytes.length} bytes says that it has ${block.records} records`,
        block.offset,
      );
    }
    cursor.load(block.bytes);
    for (let i = 0; i < block.records; i++) record(block);
    if (cursor.at !== cursor.end) {
      throw new OffsetError(
        `${cursor.end - cursor.at} bytes are left behind a block's last record`,
        block.offset,
      );
    }
  }
  return stage.finish();
}

async function stageOld(call: ReadCall): Promise<RowSource> {
  const old = await readOld(call.file.path, call.file.bytes);
  const cursor = new Cursor();
  const { stage, record } = stageFor(call, old.header, cursor);
  try {
    eachOldRecord(old, cursor, () => record({ offset: 0, plainOffset: 0 }));
  } catch (error) {
    if (!(error instanceof AvroError)) throw error;
    throw new OffsetError(error.message, error.at, { cause: error });
  }
  return stage.finish();
}

/** A stage, and what moves the record at the cursor into it, in a block that lies at an offset. */
function stageFor(
  call: ReadCall,
  { schema }: AvroHeader,
  cursor: Cursor,
): { stage: TableStage; record: (block: BlockPlace) => void } {
  const fields = fieldsOf(schema);
  if (fields.length === 0) throw new OffsetError("its records have no fields", 0);
  const columns: StagedColumn[] = fields.map(({ name, column }) => ({ name, type: column }));
  const stage = new TableStage(call, columns, { isPositioned: call.isCareful });
  const decoders: Decode[] = fields.map(({ type }, i) => decoderOf(type, stage.nodes[i], cursor));
  const record = (block: BlockPlace) => {
    const { plainOffset } = block;
    const start = cursor.at;
    try {
      for (let i = 0; i < decoders.length; i++) decoders[i](0);
      cursor.checkEnd();
    } catch (error) {
      throw located(error, stage.rows + 1, block);
    }
    if (!call.isCareful) return stage.endRow();
    stage.endRow({
      row: stage.rows + 1,
      offset: plainOffset === null ? null : plainOffset + start,
      bytes: plainOffset === null ? null : cursor.at - start,
    });
  };
  return { stage, record };
}

/** Within a compressed block there is no offset but that of the block. */
function located(error: unknown, row: number, { offset, plainOffset }: BlockPlace): unknown {
  if (!(error instanceof AvroError)) return error;
  const at = plainOffset === null ? offset : plainOffset + error.at;
  return new OffsetError(`record ${row}: ${error.message}`, at, { cause: error });
}

function fieldsOf(schema: AvroType): { name: string; type: AvroType; column: StagedType }[] {
  const fields = schema.kind === "record" ? schema.fields : [{ name: "value", type: schema }];
  return fields.map(({ name, type }) => ({ name, type, column: columnOf(type) }));
}

async function firstBytes(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4);
  await file.read(bytes);
  return new TextDecoder("latin1").decode(bytes);
}
