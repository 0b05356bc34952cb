/** @module Parameters of `merge`. */
import { z } from "zod";

const write = (doc: string) => z.union([z.literal(true), z.string().min(1)]).meta({ doc });

/** Which of several rows of one key is taken. */
export const Resolution = z.union([
  z.strictObject({
    priority: z.array(z.string().min(1)).min(1).meta({
      doc: "Sources, best first; one that is not named comes after those that are",
      example: ["alpha_vantage.daily", "stooq.daily"],
    }),
  }),
  z.strictObject({
    lastWriteWins: write(
      "The row with the greatest value of this column; true: the one collected last",
    ),
  }),
  z.strictObject({
    firstWriteWins: write(
      "The row with the smallest value of this column; true: the one collected first",
    ),
  }),
]);
/** See {@link Resolution}. */
export type Resolution = z.output<typeof Resolution>;

/** Parameters of {@link ./mod.ts#merge}. */
export const MergeParams = z.object({
  key: z.array(z.string().min(1)).min(1).meta({
    doc: "Columns whose values together name a row; a row where one is null is quarantined",
    example: ["symbol", "date"],
  }),
  resolve: Resolution.meta({ doc: "Which of several rows of one key is taken" }),
  fields: z.record(z.string(), Resolution).default({}).meta({
    doc: "Columns with a rule of their own: the first value by it that is not null",
    example: { close: { priority: ["stooq.daily"] } },
  }),
}).superRefine(({ key, fields }, ctx) => {
  const twice = key.find((name, i) => key.indexOf(name) !== i);
  const both = key.find((name) => Object.hasOwn(fields, name));
  if (twice !== undefined) {
    ctx.addIssue({ code: "custom", path: ["key"], message: `Name "${twice}" once` });
  }
  if (both !== undefined) {
    ctx.addIssue({
      code: "custom",
      path: ["fields", both],
      message: "A column of the key is the same in all rows: it needs no rule",
    });
  }
});
/** See {@link MergeParams}. */
export type MergeParams = z.output<typeof MergeParams>;

/** The rule in words, for lineage. */
export function ruleText(resolution: Resolution): string {
  if ("priority" in resolution) return `merge: priority ${resolution.priority.join(" > ")}`;
  const [what, by] = "lastWriteWins" in resolution
    ? ["last", resolution.lastWriteWins]
    : ["first", resolution.firstWriteWins];
  return `merge: ${what} write wins${by === true ? "" : ` by ${by}`}`;
}
