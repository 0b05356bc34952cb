/** @module How far archives and compressed files are unpacked. */
import { z } from "zod";

/** See {@link ./unpack.ts}. */
export const UnpackParams = z.object({
  members: z.string().min(1).optional().meta({
    doc: "Only members of archives whose path matches this glob; the others are counted",
    example: "**/*.csv",
  }),
  bytesMax: z.int().min(1).default(100_000_000_000).meta({
    doc: "What a file may hold unpacked, all its members together",
    unit: "bytes",
  }),
  ratioMax: z.number().min(1).default(250).meta({
    doc: "How many times its own size a file may hold unpacked, once that is more than 256 MB: " +
      "more is taken for a bomb",
  }),
  membersMax: z.int().min(1).default(10_000).meta({ doc: "Files in archives" }),
  depthMax: z.int().min(1).max(16).default(4).meta({
    doc: "Containers within containers: a .tar.gz in a .zip is three",
  }),
});
/** See {@link UnpackParams}. */
export type UnpackParams = z.infer<typeof UnpackParams>;
