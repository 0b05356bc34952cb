/** @module Schemas that a dataset had, one after the other, from its versions. */
import type { TableSchema } from "../model/data.ts";
import type { Sql } from "./database.ts";

/** A stretch of versions with one schema. */
export interface SchemaRow {
  schema: TableSchema;
  /** Of the first version with it. */
  since: string;
  versionId: string;
  partition: string;
  /** Of the last one. */
  until: string;
  versions: number;
}

/** All of them, the oldest first. A schema that comes back is there again. */
export async function listSchemas(sql: Sql, dataset: string): Promise<SchemaRow[]> {
  return await sql<SchemaRow[]>`
    with told as (
      select id, partition, schema, known_at,
        schema is distinct from lag(schema) over (order by known_at, id) as is_new
      from dataset_version where dataset = ${dataset} and schema is not null),
    stretches as (
      select *, sum(is_new::int) over (order by known_at, id) as stretch from told)
    select (array_agg(schema order by known_at, id))[1] as schema,
      (array_agg(id order by known_at, id))[1] as version_id,
      (array_agg(partition order by known_at, id))[1] as partition,
      to_char(min(known_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since,
      to_char(max(known_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as until,
      count(*)::int as versions
    from stretches group by stretch order by stretch`;
}
