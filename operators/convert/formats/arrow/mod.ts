/** @module Arrow's IPC files, which Feather (version 2) are, too, and streams. */
import type { Format, WriteColumn, WriteStatement } from "../format.ts";
import { plainSelect } from "../plain_select.ts";
import { MAGIC, OLD_FEATHER } from "./magic.ts";

/** Arrow, batch by batch. */
export const arrow: Format = {
  name: "arrow",
  extensions: ["arrow", "feather", "ipc"],
  mediaType: "application/vnd.apache.arrow.file",
  content: "binary",
  recognise(head, name) {
    const magic = new TextDecoder("latin1").decode(head.subarray(0, 6));
    if (magic === MAGIC || magic.startsWith(OLD_FEATHER)) return 1;
    const isNamed = /\.(arrows?|feather|ipc|stream)$/i.test(name);
    return isStream(head) ? (isNamed ? 0.98 : 0.9) : isNamed ? 0.3 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readArrow(call),
  write: (relation, columns) => writing(relation, columns, false),
};

/** The same as a stream: one batch can be read as soon as it is written. */
export const arrowStream: Format = {
  ...arrow,
  name: "arrow_stream",
  extensions: ["arrows"],
  mediaType: "application/vnd.apache.arrow.stream",
  // Both are read by one reader, which tells them apart.
  recognise: () => 0,
  write: (relation, columns) => writing(relation, columns, true),
};

function writing(
  relation: string,
  columns: readonly WriteColumn[],
  isStream: boolean,
): WriteStatement {
  return {
    sql: plainSelect(relation, columns),
    to: { format: "parquet", isPlain: true },
    async encode(from, path, signal) {
      // The library is large, and only writing needs it.
      const { writeArrow } = await import("./write.ts");
      await writeArrow(from, path, { columns, signal, isStream });
    },
  };
}

/** A stream begins with a length, and a message that is a schema. */
function isStream(head: Uint8Array): boolean {
  if (head.length < 24) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const isContinued = view.getUint32(0, true) === 0xffffffff;
  const start = isContinued ? 8 : 4;
  const length = view.getUint32(start - 4, true);
  const root = view.getUint32(start, true);
  if (length < 16 || length > 1 << 26 || root < 4 || root > length) return false;
  const vtable = start + root -
    (start + root + 4 <= head.length ? view.getInt32(start + root, true) : 0);
  return vtable >= start && vtable + 4 <= head.length && view.getUint16(vtable, true) <= 20 &&
    view.getUint16(vtable, true) >= 4;
}
