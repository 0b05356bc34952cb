/** @module Protocol Buffers: messages one after the other, or a repeated field of one message. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";
import { type Frame, framesOf, pathOf } from "./frames.ts";
import { MessageError, MessageReader } from "./message.ts";
import { messagePlan, stagedTypeOf } from "./schema.ts";

/** Where fields go that the message type does not have. */
const UNKNOWN = "unknown_fields";

/** Read the messages of a file. */
export async function readProtobuf(call: ReadCall): Promise<RowSource> {
  const params = call.options.protobuf;
  if (!params) {
    throw new AppError(
      "INVALID",
      `Cannot read ${call.file.name} as Protocol Buffers: "protobuf" must say the schema and the ` +
        `message type of its records`,
    );
  }
  const whole = messagePlan(params);
  const { path, plan } = call.options.records === undefined
    ? { path: [], plan: whole }
    : pathOf(whole, call.options.records);
  const columns: StagedColumn[] = plan.fields.map((field) => ({
    name: field.name,
    type: stagedTypeOf(field),
  }));
  const hasOwn = columns.some(({ name }) => name === UNKNOWN);
  const unknownName = hasOwn ? `_${UNKNOWN}` : UNKNOWN;
  const stage = new RecordStage(call, [...columns, { name: unknownName, type: "JSON" }]);
  let unknown = 0;
  let reader: MessageReader | null = null;
  let buffer: Uint8Array | null = null;
  for (const frame of framesOf(call, params, path)) {
    // The buffer is another one when the window has grown.
    if (!reader || buffer !== frame.buffer) reader = new MessageReader(buffer = frame.buffer);
    const place = { offset: frame.offset, bytes: frame.end - frame.start };
    try {
      const values = reader.read(plan, frame.start, frame.end);
      if (reader.unknown.length > 0) values[unknownName] = JSON.stringify(reader.unknown);
      unknown += reader.unknown.length;
      stage.add(values, place);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      await stage.refuse(refusalOf(error, frame), place);
    }
  }
  if (stage.records > 0 && stage.records === stage.refused) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as Protocol Buffers: none of its ${stage.records} messages is ` +
        `a ${plan.name}; is the framing right?`,
    );
  }
  return unknown > 0 || columns.length === 0 ? stage.finish() : withoutLast(stage.finish());
}

function refusalOf(error: MessageError, { offset, start, end, buffer }: Frame) {
  return {
    rule: "protobuf",
    reason: `at byte ${offset + error.at - start}, ${error.why}`,
    raw: buffer.subarray(start, Math.min(end, start + 100_000)).toBase64(),
  };
}

/** No message has unknown fields. */
function withoutLast(source: RowSource): RowSource {
  const last = source.columns.length - 1;
  return {
    ...source,
    columns: source.columns.slice(0, last),
    relation: `SELECT * EXCLUDE (c${last}) FROM (${source.relation})`,
  };
}
