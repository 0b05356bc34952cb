/** @module Who reads what a DAG publishes, by declared schedules and by recorded lineage. */
import type { Sql } from "./database.ts";

/** A DAG that reads datasets of another. */
export interface DownstreamDag {
  fromDag: string;
  toDag: string;
  datasets: string[];
  /** Its schedule names them; else lineage tells. */
  isDeclared: boolean;
}

/** The DAGs right below these; those whose file is gone are left out. */
export async function findDownstreamDags(
  sql: Sql,
  dagIds: readonly string[],
): Promise<DownstreamDag[]> {
  const given = [...dagIds];
  return [
    ...await sql<DownstreamDag[]>`
      with published as (
        select d.dag_id, s.name from dag d join dag_version v on v.id = d.dag_version_id,
          jsonb_array_elements_text(v.spec -> 'datasets') s(name)
        where d.dag_id = any(${given})
        union
        select dag_id, dataset from dataset_version where dag_id = any(${given})
      ), declared as (
        select p.dag_id as from_dag, d.dag_id as to_dag, p.name, true as is_declared
        from published p
        join dag_version v on v.spec #> '{schedule,datasets}' ? p.name
        join dag d on d.dag_version_id = v.id
      ), recorded as (
        select u.dag_id as from_dag, o.dag_id as to_dag, u.dataset as name, false as is_declared
        from dataset_version u
        join dataset_version_input i on i.input_version_id = u.id
        join dataset_version o on o.id = i.dataset_version_id
        where u.dag_id = any(${given})
      )
      select from_dag, to_dag, array_agg(distinct name order by name) as datasets,
        bool_or(is_declared) as is_declared
      from (select * from declared union all select * from recorded) e
      join dag d on d.dag_id = e.to_dag
      where from_dag <> to_dag and not d.is_stale
      group by 1, 2 order by 1, 2`,
  ];
}

/** A run that read what others published. */
export interface ReadingRun {
  id: string;
  logicalDate: Date | null;
  partitionKey: string | null;
  /** The runs whose versions it read, or whose events started it. */
  from: string[];
}

/** Runs of a DAG that read what these runs published. */
export async function findReadingRuns(
  sql: Sql,
  { dagRunIds, toDag }: { dagRunIds: readonly string[]; toDag: string },
): Promise<ReadingRun[]> {
  return [
    ...await sql<ReadingRun[]>`
      with versions as (
        select v.id, v.dag_run_id from dataset_version v
        where v.dag_run_id = any(${[...dagRunIds]}::uuid[])
      ), reading as (
        select o.dag_run_id as id, v.dag_run_id as origin from versions v
        join dataset_version_input i on i.input_version_id = v.id
        join dataset_version o on o.id = i.dataset_version_id and o.dag_id = ${toDag}
        union
        select c.dag_run_id, v.dag_run_id from versions v
        join asset_event e on e.dataset_version_id = v.id
        join dag_run_asset_event c on c.asset_event_id = e.id and c.dag_id = ${toDag}
      )
      select r.id, r.logical_date, r.partition_key, array_agg(distinct x.origin) as from
      from reading x join dag_run r on r.id = x.id group by r.id order by r.run_after, r.id`,
  ];
}

/** The partitions of these datasets that runs have published, by run. */
export async function findPublished(
  sql: Sql,
  { dagRunIds, datasets }: { dagRunIds: readonly string[]; datasets: readonly string[] },
): Promise<Map<string, string[]>> {
  const found = await sql<{ run: string; partitions: string[] }[]>`
    select dag_run_id as run, array_agg(distinct partition) as partitions from dataset_version
    where dag_run_id = any(${[...dagRunIds]}::uuid[]) and dataset = any(${[...datasets]})
    group by 1`;
  return new Map(found.map(({ run, partitions }) => [run, partitions]));
}
