/** @module tar: its files as they come. */
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { type Bytes, CountedBytes } from "./bytes.ts";

/** A member of an archive. */
export interface Member {
  path: string;
  /** Why it is not read; null: it is. */
  skipped: "directory" | "link" | null;
  bytes: Bytes;
}

/** Members; each is to be read before the next. Throws Error where it is broken or cut off. */
export async function* untar(bytes: Bytes): AsyncGenerator<Member> {
  const input = new CountedBytes(bytes);
  const source = Readable.from(input);
  const archive = extract();
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive as unknown as NodeJS.WritableStream);
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header;
      const isFile = type === "file" || type === "contiguous-file";
      const skipped = isFile ? null : type === "directory" ? "directory" : "link";
      yield { path: name, skipped, bytes: entry as unknown as Bytes };
      entry.resume();
    }
  } finally {
    source.destroy();
  }
  if (input.tail.some((byte) => byte !== 0)) {
    throw new Error("it ends without the mark of an archive's end: it is cut off");
  }
}
