/**
 * @module ISO 20022: a row per transaction of a statement, per payment, per status; of other
 * messages a row each. Any version and wrapper.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { readDocument } from "../xml/document.ts";
import { ElementSink, type XmlElement } from "../xml/elements.ts";
import { readXml } from "../xml/mod.ts";
import { rawText } from "../xml/raw_text.ts";
import type { Mismatch } from "./controls.ts";
import { Iso20022Params } from "./params.ts";
import { columnsOf, MessageReader, type MessageRow, messages, MixedMessages } from "./rows.ts";

/** Financial messages of ISO 20022. */
export const iso20022: Format = {
  name: "iso20022",
  extensions: ["xml", "iso20022"],
  mediaType: "application/xml",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head.subarray(0, 16 * 1024)).trimStart();
    if (!text.startsWith("<")) return 0;
    if (/["']urn:(iso:std:iso:20022:tech:xsd|swift:xsd):[a-z$]/.test(text)) return 0.97;
    const known = Object.keys(messages).join("|");
    return new RegExp(`<(\\w+:)?Document[^>]*>\\s*<(\\w+:)?(${known})[\\s>]`).test(text) ? 0.95 : 0;
  },
  read: readMessages,
};

type Kind = (typeof messages)[string]["kind"];

async function readMessages(call: ReadCall): Promise<RowSource> {
  const params = Iso20022Params.parse(call.options.iso20022 ?? {});
  const kind = call.options.records === undefined ? await kindOf(call) : null;
  if (kind === null) return await readXml(call);
  const stage = new TextStage(call, columnsOf(kind, params.rows));
  const refused: { row: number; offset: number; bytes: number; rule: string; why: string }[] = [];
  let row = 0;
  try {
    await readDocument(call, {
      sink: (parser) =>
        new ElementSink(
          new MessageReader(kind, params, {
            row: (each) => take(each),
            mismatch: (mismatches, of) => refuseControl(mismatches, of),
          }),
          parser,
        ),
      what: "ISO 20022",
    });
  } catch (error) {
    stage.close();
    if (!(error instanceof MixedMessages)) throw error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as one table: it has statements, payments or reports on them, ` +
        `and then a message of another kind, <${error.message}>; split it, or name its "records"`,
    );
  }
  for (const each of refused) {
    const { file } = call;
    const offset = file.isAsCollected ? each.offset : null;
    const raw = await rawText(file.path, each.offset, each.bytes);
    const reason = each.rule === "control_sum"
      ? `A control of ${file.name} is not met: it declares ${each.why}`
      : `Record ${each.row} is refused: ${each.why}`;
    await call.refuse({
      file: file.name,
      row: each.rule === "control_sum" ? null : each.row,
      offset,
      column: null,
      rule: each.rule,
      reason,
      raw,
    });
  }
  return stage.finish();

  function take({ cells, offset, endOffset, why }: MessageRow): void {
    row++;
    const bytes = endOffset - offset;
    if (why === null) stage.add(cells, { row, offset, bytes });
    else refused.push({ row, offset, bytes, rule: "iso20022", why });
  }

  function refuseControl(mismatches: Mismatch[], { offset, endOffset }: XmlElement): void {
    const why = mismatches.map(({ what }) => what).join("; ");
    if (params.controls === "fail") {
      throw new AppError(
        "CORRUPT",
        `Cannot take ${call.file.name}: it declares ${why}, at byte ${offset}`,
      );
    }
    refused.push({ row: 0, offset, bytes: endOffset - offset, rule: "control_sum", why });
  }
}

/** The kind of the first known message; null when there is none of those that rows are made of. */
async function kindOf(call: ReadCall): Promise<Kind | null> {
  let kind: Kind | null = null;
  await readDocument(call, {
    sink: () => ({
      start({ local }) {
        if (kind === null && Object.hasOwn(messages, local)) ({ kind } = messages[local]);
      },
      text() {},
      end() {},
      skipped() {},
    }),
    windowsMax: 4,
    what: "ISO 20022",
  });
  return kind;
}
