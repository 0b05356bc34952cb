/** @module How the pages of an answer follow each other, as parameters. */
import { z } from "zod";

/** Where a run of pages ends; the first that holds. */
const stops = {
  pagesMax: z.int().positive().default(10_000).meta({ doc: "More pages than this are an error" }),
  total: z.string().optional().meta({
    doc: "JSON pointer to the number of records there are; reached: stop; missed: an error",
    example: "/pagination/total",
  }),
  more: z.string().optional().meta({
    doc: "JSON pointer to a flag that is false, null or absent on the last page",
    example: "/has_more",
  }),
};

const shortPageLast = z.boolean().default(false).meta({
  doc:
    "Stop at a page with fewer records than asked for; not for sources that cap what one may ask",
});

/** The ways that sources page. Without another sign, a page without records is the last. */
export const Paging = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({
    kind: z.literal("page"),
    param: z.string().default("page"),
    first: z.int().default(1),
    sizeParam: z.string().optional(),
    size: z.int().positive().optional().meta({ doc: "Records of one page" }),
    shortPageLast,
    ...stops,
  }),
  z.object({
    kind: z.literal("offset"),
    offsetParam: z.string().default("offset"),
    limitParam: z.string().default("limit"),
    limit: z.int().positive().meta({ doc: "Records of one page" }),
    shortPageLast,
    ...stops,
  }),
  z.object({
    kind: z.literal("cursor"),
    pointer: z.string().optional().meta({ doc: "JSON pointer to the next cursor" }),
    header: z.string().optional().meta({ doc: "Header with the next cursor" }),
    param: z.string().meta({ doc: "Parameter that carries it" }),
    in: z.enum(["query", "body"]).default("query"),
    ...stops,
  }).refine((p) => (p.pointer === undefined) !== (p.header === undefined), {
    error: 'Name where the next cursor is: either "pointer" or "header"',
  }),
  z.object({
    kind: z.literal("link"),
    pointer: z.string().optional().meta({
      doc: 'JSON pointer to the next URL; left out: the Link header with rel="next"',
      example: "/next_url",
    }),
    ...stops,
  }),
]);
/** See {@link Paging}. */
export type Paging = z.infer<typeof Paging>;
