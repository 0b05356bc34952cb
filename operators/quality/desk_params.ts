/** @module Parameters of the rules that desks keep: prices, quotes, sessions, statements. */
import { z } from "zod";
import { common, tableCommon } from "./rule_params.ts";

const Columns = z.array(z.string()).min(1);
const series = {
  column: z.string(),
  by: z.array(z.string()).default([]).meta({ doc: "Columns that tell one series from another" }),
  order: z.array(z.string()).min(1).meta({ doc: "Columns that order a series, as its date" }),
};

/** Rules of single rows. */
export const deskRowRules = [
  z.object({ rule: z.literal("positive"), columns: Columns, ...common }).meta({
    doc: "Prices: above zero. Not for spreads, power and what else may be traded below it",
  }),
  z.object({ rule: z.literal("non_negative"), columns: Columns, ...common }).meta({
    doc: "Volumes, quantities, counts: not below zero",
  }),
  z.object({
    rule: z.literal("crossed"),
    bid: z.string().default("bid"),
    ask: z.string().default("ask"),
    allowLocked: z.boolean().default(false).meta({ doc: "Bid and ask may be equal" }),
    ...common,
  }).meta({ doc: "The bid is below the ask" }),
  z.object({
    rule: z.literal("stale"),
    ...series,
    after: z.int().min(1).max(1000).default(5).meta({ doc: "Rows in a row without a change" }),
    ...common,
  }).meta({ doc: "The value has changed within so many rows of its series" }),
  z.object({
    rule: z.literal("spike"),
    ...series,
    window: z.int().min(3).max(1000).default(20).meta({ doc: "Returns before it" }),
    deviations: z.number().positive().default(6).meta({
      doc: "Median absolute deviations of the returns before that a return may have",
    }),
    min: z.number().positive().default(0.15).meta({
      doc: "A return that is never a spike, as a share: 0.15 is 15 %",
    }),
    ...common,
  }).meta({
    doc: "The absolute log return is within so many median absolute deviations of those before",
  }),
  z.object({
    rule: z.literal("jump"),
    ...series,
    max: z.number().positive().meta({ doc: "In the column's own unit", example: 0.5 }),
    ...common,
  }).meta({ doc: "The value is no further than this from the one before, as along a curve" }),
  z.object({
    rule: z.literal("reference"),
    column: z.string(),
    kind: z.enum([
      "isin",
      "cusip",
      "sedol",
      "figi",
      "lei",
      "iban",
      "bic",
      "currency",
      "country",
      "mic",
    ]).meta({ doc: "Codes with check digits are held to them, the others to their list" }),
    ...common,
  }).meta({ doc: "The text is such a code" }),
  z.object({
    rule: z.literal("volume_vs_median"),
    ...series,
    window: z.int().min(3).max(1000).default(20),
    min: z.number().min(0).default(0.1),
    max: z.number().positive().default(10),
    ...common,
  }).meta({ doc: "The value is between these multiples of the median of the rows before" }),
  z.object({
    rule: z.literal("cross_vendor"),
    column: z.string(),
    by: Columns.meta({
      doc: "The key: rows equal in it are of the same thing, by several vendors",
    }),
    toleranceBp: z.number().min(0).default(10).meta({ doc: "Of the median, in basis points" }),
    tolerance: z.number().min(0).default(0).meta({
      doc: "Or this, as a tick; the larger one counts",
    }),
    ...common,
  }).meta({ doc: "Vendors agree on the value: each is near their median" }),
  z.object({
    rule: z.literal("extra_session"),
    column: z.string(),
    dates: z.array(z.iso.date()).min(1),
    ...common,
  }).meta({ doc: "The row's date is one of these sessions" }),
  z.object({
    rule: z.literal("date_window"),
    column: z.string(),
    aheadDays: z.number().min(0).default(1).meta({ doc: "Days that it may lie ahead of now" }),
    behindDays: z.number().min(0).optional().meta({ doc: "Days that it may lie behind now" }),
    ...common,
  }).meta({ doc: "The date or time is not in the future, and not too old" }),
  z.object({
    rule: z.literal("in_order"),
    columns: z.array(z.string()).min(2),
    ...common,
  }).meta({
    doc: "These times of a row follow each other",
    example: "valid_to, published_at, known_at",
  }),
  z.object({
    rule: z.literal("sum_check"),
    amount: z.string(),
    opening: z.string(),
    closing: z.string(),
    by: Columns.meta({ doc: "Columns that tell one statement from another" }),
    ...common,
  }).meta({ doc: "Opening and amounts add up to closing; a statement that does not fails whole" }),
] as const;

/** Rules of the table as a whole. */
export const deskTableRules = [
  z.object({
    rule: z.literal("missing_session"),
    column: z.string(),
    by: z.array(z.string()).default([]),
    dates: z.array(z.iso.date()).min(1).optional().meta({
      doc: "Sessions that each must have; left out, those that any of them has",
    }),
    ...tableCommon,
  }).meta({ doc: "Every series has a row for every session" }),
  z.object({
    rule: z.literal("freshness"),
    column: z.string(),
    withinMinutes: z.number().positive().meta({ doc: "Age of the newest, by the source's SLA" }),
    ...tableCommon,
  }).meta({ doc: "The newest date or time is not older than this" }),
  z.object({
    rule: z.literal("curve_shape"),
    tenor: z.string(),
    by: z.array(z.string()).default([]),
    tenors: z.array(z.string()).min(1).meta({ doc: "Tenors that each curve must have" }),
    ...tableCommon,
  }).meta({ doc: "Every curve has every tenor" }),
] as const;
