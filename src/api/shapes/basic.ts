/** @module Pieces of shapes: text, instants, lists and ranges as they come in paths and queries. */
import { z } from "zod";
import { limits } from "../../base/limits.ts";
import { isStorable } from "../../base/storable.ts";

/** Text that the database can hold: no NUL. */
export const Text = z.string().max(10_000).refine((text) => !text.includes("\0"), {
  message: "must not contain a NUL character",
});

/** A name in a path. */
export const Name = Text.min(1).max(250);

/** JSON that the database can hold. */
export const StorableJson = z.json().refine((value) => isStorable(JSON.stringify(value)), {
  message: "must not contain a NUL character or half a surrogate pair",
});

/** An object of JSON values. */
export const JsonObject = z.record(z.string(), z.json()).refine(
  (value) => {
    const text = JSON.stringify(value);
    return text.length <= limits.confBytes && isStorable(text);
  },
  { message: `must be at most ${limits.confBytes} bytes of JSON without a NUL character` },
);

const instant = /^(\d{4})-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** An ISO 8601 instant; without a zone it is UTC. */
export const Instant = z.string().transform((text, ctx) => {
  const match = instant.exec(text);
  const normal = match
    ? text.replace(" ", "T").replace(/([+-]\d{2})(\d{2})$/, "$1:$2") +
      (match[2] && !match[5] ? "Z" : "")
    : "";
  const at = new Date(match && match[2] === undefined ? text.slice(0, 10) : normal);
  if (match && match[1] !== "0000" && !Number.isNaN(at.getTime())) return at;
  ctx.addIssue({ code: "custom", message: "must be an ISO 8601 date and time" });
  return z.NEVER;
}).meta({ type: "string", format: "date-time", example: "2030-01-01T00:00:00Z" });

/** An instant in an answer. */
export const At = z.iso.datetime({ offset: true });

/** A whole number in a query. */
export function queryInt({ min = 0, max = 2_147_483_647 }: { min?: number; max?: number } = {}) {
  return z.string().regex(/^-?\d{1,10}$/, "must be a whole number").transform(Number)
    .pipe(z.int().min(min).max(max)).meta({ type: "integer", minimum: min, maximum: max });
}

/** A flag in a query. */
export const QueryFlag = z.stringbool().meta({ type: "boolean" });

/** One value or several: `?state=failed&state=running`. */
export function many<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), item.transform((value) => [value])]).pipe(
    z.custom<z.output<T>[]>(),
  )
    .meta({ type: "array", items: { type: "string" } });
}

/** Page and order of a list. `fields` may be ordered by; `-` before one: descending. */
export function paging<F extends string>(fields: readonly [F, ...F[]], order: string) {
  const orders = fields.flatMap((field) => [field, `-${field}`]);
  return {
    limit: queryInt({ min: 1, max: limits.pageRowsMax }).default(limits.pageRows)
      .meta({ doc: `Rows of a page; at most ${limits.pageRowsMax}` }),
    offset: queryInt().default(0).meta({ doc: "Rows to leave out before the page" }),
    order_by: many(z.enum(orders as [string, ...string[]])).default([order])
      .meta({ doc: `Fields to order by, "-" before one for descending: ${fields.join(", ")}` }),
  };
}

type Bound = "gte" | "gt" | "lte" | "lt";

/** `<name>_gte`, `_gt`, `_lte`, `_lt`. */
export function rangeOf<N extends string, T extends z.ZodType>(name: N, value: T) {
  return Object.fromEntries(
    (["gte", "gt", "lte", "lt"] as const).map((bound) => [`${name}_${bound}`, value.optional()]),
  ) as unknown as Record<`${N}_${Bound}`, z.ZodOptional<T>>;
}

/** `<name>_pattern` and `<name>_prefix_pattern`, as in Airflow. */
export function patternsOf<N extends string>(name: N) {
  return {
    [`${name}_pattern`]: Text.optional().meta({
      doc: "Part of it, whatever the case; % and _ match as in SQL, | means or, ~ everything",
    }),
    [`${name}_prefix_pattern`]: Text.optional().meta({ doc: "Its beginning; | means or" }),
  } as Record<`${N}_pattern` | `${N}_prefix_pattern`, z.ZodOptional<typeof Text>>;
}

/** Fields of a request that may be set; others in the body are then left alone. */
export const UpdateMask = { update_mask: many(Text).optional() };
