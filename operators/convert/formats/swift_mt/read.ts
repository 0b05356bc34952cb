/** @module SWIFT MT (FIN): statements, payments and every other message of blocks and tags. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { linesOf } from "../lines.ts";
import { RecordStage } from "../record_stage.ts";
import { messagesOf, type MtMessage } from "./messages.ts";
import type { SwiftMtParams } from "./params.ts";
import { fieldColumns, messageColumns, stageFields, stageMessage } from "./rows.ts";
import {
  entryColumns,
  isStatement,
  stageEntries,
  stageStatement,
  statementColumns,
} from "./statements.ts";

type Rows = Exclude<SwiftMtParams["rows"], "auto">;

/** Read the messages of a file, in two passes: the first finds what they are. */
export async function readMt(call: ReadCall): Promise<RowSource> {
  const { rows, tags } = await survey(call);
  const columns = {
    entry: () => entryColumns,
    statement: () => statementColumns,
    message: () => messageColumns(tags),
    field: () => fieldColumns,
  }[rows]();
  const stage = new RecordStage(call, columns);
  let number = 0;
  for (const message of messagesOf(linesOf(call), call.file.name)) {
    number++;
    if (rows === "message") await stageMessage(message, stage);
    else if (rows === "field") await stageFields(message, stage, number);
    else if (!isStatement(message)) await refuseOther(message, stage, rows);
    else if (rows === "entry") await stageEntries(message, stage);
    else await stageStatement(message, stage);
  }
  return stage.finish();
}

/** What rows to make, and which tags there are. Throws CORRUPT when there is no message at all. */
async function survey(call: ReadCall): Promise<{ rows: Rows; tags: string[] }> {
  const wanted = call.options.swift_mt?.rows ?? "auto";
  const tags = new Set<string>();
  let rows: Rows | null = wanted === "auto" ? null : wanted;
  let messages = 0;
  for (const message of messagesOf(linesOf(call), call.file.name)) {
    messages++;
    // Acknowledgements come before what they acknowledge.
    if (message.fields.length > 0) rows ??= isStatement(message) ? "entry" : "message";
    if (rows === "entry" || rows === "statement" || rows === "field") break;
    for (const { tag } of message.fields) tags.add(tag);
  }
  if (messages === 0) {
    throw new AppError("CORRUPT", `Cannot read ${call.file.name} as SWIFT MT: it has no message`);
  }
  return await Promise.resolve({ rows: rows ?? "message", tags: [...tags].toSorted() });
}

async function refuseOther(message: MtMessage, stage: RecordStage, rows: Rows): Promise<void> {
  await stage.refuse({
    rule: "swift_mt",
    reason: `the message is no statement; it has no row by "${rows}", read it with rows "message"`,
    raw: message.fields.map(({ tag, value }) => `:${tag}:${value}`).join("\n"),
  }, message);
}
