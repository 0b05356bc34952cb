/** @module MessagePack: a stream of objects, or one array of them. */
import { AppError } from "../../../../src/model/errors.ts";
import { columnNames } from "../column_names.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { RecordStage } from "../record_stage.ts";
import { valueOf, type Widest, widestOf } from "./columns.ts";
import { messagePackRecords } from "./records.ts";

const COLUMNS_MAX = 5000;

/** Read the records of a file. */
export async function readMessagePack(call: ReadCall): Promise<RowSource> {
  const columns = survey(call);
  const names = columnNames([...columns.keys()]);
  const staged = [...columns.values()].map(({ type }, i) => ({ name: names[i], type }));
  if (staged.length === 0) staged.push({ name: "value", type: "VARCHAR" });
  const nameOf = new Map([...columns.keys()].map((name, i) => [name, names[i]]));
  const stage = new RecordStage(call, staged);
  for (const { fields, ...place } of messagePackRecords(call)) {
    const values: Record<string, unknown> = Object.create(null);
    let twice: string | null = null;
    for (const { name, kind, value } of fields) {
      const shown = nameOf.get(name)!;
      if (shown in values) twice = name;
      values[shown] = valueOf(value, kind, columns.get(name)!);
    }
    if (twice === null) stage.add(values, place);
    else {
      await stage.refuse({
        rule: "duplicate_field",
        reason: `it has the field ${JSON.stringify(twice)} twice`,
        raw: await rawOf(call, place),
      }, place);
    }
  }
  return stage.finish();
}

/** The types that columns must have to hold every value, by a first reading. */
function survey(call: ReadCall): Map<string, Widest> {
  const seen = new Map<string, ReturnType<typeof widestOf>>();
  for (const { fields } of messagePackRecords(call)) {
    for (const { name, kind, value } of fields) {
      let widest = seen.get(name);
      if (!widest) {
        if (seen.size === COLUMNS_MAX) throw tooMany(call.file.name);
        seen.set(name, widest = widestOf());
      }
      widest.add(kind, value);
    }
  }
  return new Map([...seen].map(([name, widest]) => [name, widest.end()]));
}

async function rawOf(
  { file }: ReadCall,
  { offset, bytes }: { offset: number; bytes: number },
): Promise<string> {
  using input = await Deno.open(file.path);
  await input.seek(offset, Deno.SeekMode.Start);
  const raw = new Uint8Array(Math.min(bytes, 100_000));
  const read = await input.read(raw) ?? 0;
  return raw.subarray(0, read).toBase64();
}

function tooMany(name: string): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name}: its records have more than ${COLUMNS_MAX} different fields`,
  );
}
