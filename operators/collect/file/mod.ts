/** @module `collect.file`: files that somebody drops into a folder. */
import { z } from "zod";
import { RawFiles } from "../../../src/model/data.ts";
import { operator } from "../../../src/sdk/operator.ts";
import { rawDataset, rawParams } from "../raw.ts";

/** When a file is whole. Names that say "not yet" (`.part`, `.tmp`, `.name`, `name~`) never are. */
export const FileReady = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("settled"),
    quietMs: z.int().min(0).default(2_000).meta({
      doc: "Size and time of change have stood still for this long",
    }),
  }),
  z.object({
    kind: z.literal("marker"),
    suffix: z.string().min(1).default(".done").meta({
      doc: "A file of this name, with this ending more, is there: `bars.csv.done`",
    }),
  }),
]);
/** See {@link FileReady}. */
export type FileReady = z.infer<typeof FileReady>;

/** Parameters of {@link collectFile}. */
export const CollectFileParams = z.object({
  ...rawParams,
  folder: z.string().startsWith("/").optional().meta({
    doc: "Where files are dropped, as an absolute path",
    example: "/data/inbox",
  }),
  connection: z.string().optional().meta({
    doc: "Connection of type fs whose extra.path is the folder",
    example: "desk_drop",
  }),
  pattern: z.string().min(1).default("*").meta({
    doc:
      "Which files: `*` within a folder's name, `**` over folders, `?`, `{a,b}`; .gz and such too",
    example: "bars_*.csv",
  }),
  recursive: z.boolean().default(false).meta({ doc: "Look into folders below it as well" }),
  ready: FileReady.prefault({ kind: "settled" }).meta({ doc: "How a file shows that it is whole" }),
  filesMin: z.int().min(0).default(1).meta({ doc: "Files that a partition must have" }),
  filesMax: z.int().positive().default(10_000).meta({ doc: "More new files at once are an error" }),
  waitMs: z.int().min(0).default(0).meta({
    doc: "While there are fewer than filesMin: come again until this long after the run was due",
  }),
  pollMs: z.int().min(1000).default(60_000).meta({ doc: "How often to come again while waiting" }),
  bytesMax: z.int().positive().default(16 * 1024 ** 3).meta({ doc: "Largest file" }),
  sameContent: z.enum(["skip", "take"]).default("skip").meta({
    doc: "A file with the very content of one that was taken before: leave it, or take it too",
  }),
  sameName: z.enum(["replace", "keep_both"]).default("replace").meta({
    doc: "A file of a name that the partition has, with other content: it takes the older one's " +
      "place in the next version, or both are kept",
  }),
  checksum: z.enum(["if_present", "required", "ignore"]).default("if_present").meta({
    doc: "Compare with `<file>.sha256` or `<file>.md5`, as sha256sum and md5sum write them",
  }),
  afterwards: z.enum(["keep", "move", "delete"]).default("keep").meta({
    doc:
      "What becomes of a file that was taken. It is done at the start of a later run, when the " +
      "version with the file is known to be durable",
  }),
  moveTo: z.string().startsWith("/").optional().meta({
    doc: "Where to move files to; a folder `taken` in their own when left out",
  }),
}).refine(({ folder, connection }) => (folder === undefined) !== (connection === undefined), {
  error: "Say where files are dropped: give either a folder or a connection",
  path: ["folder"],
});
/** See {@link CollectFileParams}. */
export type CollectFileParams = z.output<typeof CollectFileParams>;

/** Take files out of a folder, each once, when it is whole. */
export const collectFile = operator({
  name: "collect.file",
  summary: "Take the files that are dropped into a folder, each once and only when it is whole",
  params: CollectFileParams,
  output: RawFiles,
  permissions: ({ folder, connection, afterwards, moveTo }) => {
    const text = (value: unknown): string[] => typeof value === "string" ? [value] : [];
    const where = [...text(folder), ...text(connection).map((id) => `connection:${id}`)];
    const changes = afterwards === "move" || afterwards === "delete";
    return {
      read: [...where, ...text(moveTo)],
      write: changes ? [...where, ...text(moveTo)] : [],
    };
  },
  connections: ({ connection }) => typeof connection === "string" ? [connection] : [],
  datasets: ({ source }) => typeof source === "string" ? [rawDataset(source)] : [],
  load: () => import("./run.ts"),
});
