/** @module FIX tag=value: streams and logs of messages, of FIX 4.0 to 5.0 SP2. */
import { AppError } from "../../../../src/model/errors.ts";
import { readHead } from "../../prepare/sample.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { type RecordPosition, TableStage } from "../staging.ts";
import { nameOf } from "./dictionary.ts";
import { checkTexts, FieldFault, FixSurvey, rowOf } from "./rows.ts";
import { delimiterOf, type FixMessage, messagesOf } from "./scanner.ts";

const HEAD_BYTES = 1 << 20;

/** Read the messages of a file, in two passes: the first finds its tags. */
export async function readFix(call: ReadCall): Promise<RowSource> {
  const { file, options } = call;
  const delimiter = delimiterOf(await readHead(file.path, HEAD_BYTES));
  if (delimiter === null) throw corrupt(file.name, "its beginning has no message, 8=FIX…9=…");
  const scan = { delimiter, isChecked: options.fix?.checks !== "ignore" };
  const survey = new FixSurvey();
  for (const message of messagesOf(call, scan)) {
    if (faultOf(message, () => survey.add(message)) === null) continue;
  }
  if (survey.messages === 0) throw corrupt(file.name, "none of its messages is whole");
  const table = survey.columns();
  const stage = new TableStage(call, table.columns, { isPositioned: true });
  let row = 0;
  for (const message of messagesOf(call, scan)) {
    const position: RecordPosition = {
      row: ++row,
      offset: message.offset,
      bytes: message.bytes.length,
    };
    const fault = faultOf(message, () => {
      checkTexts(message);
      stage.add(rowOf(message, table), position);
    });
    if (fault !== null) await refuse(call, message, row, fault);
  }
  return stage.finish();
}

/** What is wrong with a message; null when `work` with it went well. */
function faultOf(
  message: FixMessage,
  work: () => void,
): { tag: number | null; why: string } | null {
  if (message.fault !== null) return { tag: null, why: message.fault };
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof FieldFault) return { tag: error.tag, why: error.message };
    throw error;
  }
}

async function refuse(
  { file, refuse }: ReadCall,
  { offset, bytes }: FixMessage,
  row: number,
  { tag, why }: { tag: number | null; why: string },
): Promise<void> {
  await refuse({
    file: file.name,
    row,
    offset: file.isAsCollected ? offset : null,
    column: tag === null ? null : nameOf(tag),
    rule: "fix",
    reason: `Record ${row} is refused: ${why}`,
    raw: new TextDecoder().decode(bytes.subarray(0, 1_000_000)),
  });
}

function corrupt(name: string, why: string): AppError {
  return new AppError("CORRUPT", `Cannot read ${name} as FIX: ${why}`);
}
