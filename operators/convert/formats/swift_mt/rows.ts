/** @module Messages of any type as rows: one a message with a column a tag, or one a field. */
import type { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";
import { amountOf, dateOf } from "./fields.ts";
import { type MtMessage, typeOf } from "./messages.ts";

const text = (name: string): StagedColumn => ({ name, type: "VARCHAR" });

const headColumns = [
  text("message_type"),
  text("direction"),
  text("sender"),
  text("receiver"),
  text("user_reference"),
  text("uetr"),
];

/** Columns of a row per field. */
export const fieldColumns: readonly StagedColumn[] = [
  { name: "message_number", type: "INTEGER" },
  ...headColumns,
  { name: "field_number", type: "INTEGER" },
  text("tag"),
  text("value"),
];

/** Columns of a row per message with these tags. */
export function messageColumns(tags: readonly string[]): StagedColumn[] {
  return [
    ...headColumns,
    { name: "value_date", type: "DATE" },
    text("currency"),
    { name: "amount", type: "VARCHAR", isLoose: true },
    text("instructed_currency"),
    { name: "instructed_amount", type: "VARCHAR", isLoose: true },
    ...tags.map(text),
    {
      name: "fields",
      type: {
        list: { struct: [{ name: "tag", type: "VARCHAR" }, { name: "value", type: "VARCHAR" }] },
      },
    },
  ];
}

/** A row per message: the first field of each tag has a column, all of them are in `fields`. */
export async function stageMessage(message: MtMessage, stage: RecordStage): Promise<void> {
  const why = problemOf(message);
  if (why !== null) {
    return await stage.refuse({ rule: "swift_mt", reason: why, raw: rawOf(message) }, message);
  }
  const values: Record<string, unknown> = headOf(message);
  for (const { tag, value } of message.fields) {
    values[tag] ??= value;
    if (tag === "32A" && values.amount === undefined) Object.assign(values, settlementOf(value));
    if (tag === "33B" && values.instructed_amount === undefined) {
      Object.assign(values, instructedOf(value));
    }
  }
  const fields = message.fields.map(({ tag, value }) => ({ tag, value }));
  for (const [tag, value] of message.tags) {
    if (message.fields.length === 0) fields.push({ tag, value });
  }
  stage.add({ ...values, fields }, message);
}

/** A row per field. */
export async function stageFields(
  message: MtMessage,
  stage: RecordStage,
  messageNumber: number,
): Promise<void> {
  const head = headOf(message);
  const why = problemOf(message);
  for (const [i, { tag, value, offset, bytes }] of message.fields.entries()) {
    if (why !== null) {
      await stage.refuse({ column: tag, rule: "swift_mt", reason: why, raw: `:${tag}:${value}` }, {
        offset,
        bytes,
      });
      continue;
    }
    stage.add(
      { ...head, message_number: messageNumber, field_number: i + 1, tag, value },
      { offset, bytes },
    );
  }
}

function problemOf({ isEnded }: MtMessage): string | null {
  return isEnded ? null : 'the message ends before its "-}": the file was cut off';
}

function headOf(message: MtMessage): Record<string, string | null> {
  const { blocks, tags } = message;
  const own = blocks.get("1")?.slice(3, 15) ?? null;
  const application = blocks.get("2");
  const isInput = application?.startsWith("I") ?? false;
  const other = isInput ? application!.slice(4, 16) : application?.slice(14, 26) ?? null;
  return {
    message_type: typeOf(message),
    direction: application === undefined ? null : isInput ? "input" : "output",
    sender: isInput ? own : other,
    receiver: isInput ? other : own,
    user_reference: tags.get("108") ?? null,
    uetr: tags.get("121") ?? null,
  };
}

function settlementOf(value: string): Record<string, unknown> {
  const match = value.trim().match(/^(\d{6})([A-Z]{3})([\d,]+)$/);
  if (!match) return {};
  return { value_date: dateOf(match[1]), currency: match[2], amount: amountOf(match[3]) };
}

function instructedOf(value: string): Record<string, unknown> {
  const match = value.trim().match(/^([A-Z]{3})([\d,]+)$/);
  if (!match) return {};
  return { instructed_currency: match[1], instructed_amount: amountOf(match[2]) };
}

function rawOf({ fields }: MtMessage): string {
  return fields.map(({ tag, value }) => `:${tag}:${value}`).join("\n");
}
