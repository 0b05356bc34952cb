/** @module Is the key of what is published a key? */
import type { EngineValue } from "../../src/contract/child.ts";
import type { TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { piiOfColumn } from "../pii/column.ts";
import { refusal } from "../table/refusal.ts";
import { ident } from "../table/sql.ts";

/** Throws INVALID for a null in the key, CONFLICT where several rows have the same. */
export async function checkKey(
  ctx: TaskContext,
  rows: string,
  { schema, dataset, partition }: { schema: TableSchema; dataset: string; partition: string },
): Promise<void> {
  const { key } = schema;
  if (key.length === 0) return;
  const what = `Cannot publish "${dataset}"[${partition}] with the key (${key.join(", ")})`;
  const columns = key.map(ident).join(", ");
  const isNull = key.map((name) => `${ident(name)} IS NULL`).join(" OR ");
  const { rows: [found] } = await ctx.engine.run(
    `WITH keys AS (SELECT ${columns}, count(*) AS _tw_n FROM (${rows}) GROUP BY ${columns}),
bad AS (SELECT *, (${isNull}) AS _tw_null FROM keys WHERE _tw_n > 1 OR ${isNull})
SELECT (SELECT coalesce(sum(_tw_n), 0)::BIGINT FROM bad WHERE _tw_null),
  (SELECT count(*) FROM bad WHERE NOT _tw_null), _tw_n, ${columns}
FROM bad ORDER BY _tw_null DESC, _tw_n DESC, ${columns} LIMIT 1`,
    { rowsMax: 1 },
  );
  if (!found) return;
  const [nulls, twice, times, ...values] = found;
  const example = key.map((name, i) => `${name}=${shown(name, values[i])}`).join(", ");
  if (Number(nulls) > 0) {
    throw refusal(
      "INVALID",
      `${what}: it is null in ${nulls} rows, such as ${example}; quality can take them out`,
    );
  }
  throw refusal(
    "CONFLICT",
    `${what}: ${twice} keys are there more than once, such as ${example} (${times} rows); ` +
      `merge takes one row for each key`,
  );
}

/** Personal data is in no error. */
function shown(name: string, value: EngineValue): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return value !== null && piiOfColumn(name, [text]).kind !== null ? "***" : text;
}
