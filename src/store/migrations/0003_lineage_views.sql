-- The lineage views: a public interface, described in docs/reference/lineage_views.md.
-- The walks are functions inside of the views, so that a condition on the version reaches them.

create function lineage_upstream_of(start_id uuid)
returns table (input_version_id uuid, input_dataset text, input_partition text, depth integer)
language sql stable as $$
  with recursive walk as (
    select i.input_version_id, i.dataset, i.partition, 1 as depth
    from dataset_version_input i where i.dataset_version_id = start_id
    union
    select i.input_version_id, i.dataset, i.partition, w.depth + 1
    from walk w join dataset_version_input i on i.dataset_version_id = w.input_version_id
    where w.depth < 100
  )
  select w.input_version_id, w.dataset, w.partition, min(w.depth)::integer
  from walk w group by 1, 2, 3
$$;

create function lineage_downstream_of(start_id uuid)
returns table (output_version_id uuid, depth integer)
language sql stable as $$
  with recursive walk as (
    select i.dataset_version_id, 1 as depth
    from dataset_version_input i where i.input_version_id = start_id
    union
    select i.dataset_version_id, w.depth + 1
    from walk w join dataset_version_input i on i.input_version_id = w.dataset_version_id
    where w.depth < 100
  )
  select w.dataset_version_id, min(w.depth)::integer from walk w group by 1
$$;

create function lineage_columns_of(start_id uuid)
returns table (column_name text, input_version_id uuid, input_dataset text, input_column text,
  transformation text, depth integer)
language sql stable as $$
  with recursive walk as (
    select c.column_name, i.input_version_id, c.input_dataset, c.input_column, c.transformation,
      1 as depth
    from column_lineage c
    left join dataset_version_input i
      on i.dataset_version_id = c.dataset_version_id and i.dataset = c.input_dataset
    where c.dataset_version_id = start_id
    union
    select w.column_name, i.input_version_id, c.input_dataset, c.input_column, c.transformation,
      w.depth + 1
    from walk w
    join column_lineage c
      on c.dataset_version_id = w.input_version_id and c.column_name = w.input_column
    left join dataset_version_input i
      on i.dataset_version_id = c.dataset_version_id and i.dataset = c.input_dataset
    where w.depth < 100
  )
  select w.column_name, w.input_version_id, w.input_dataset, w.input_column, w.transformation,
    min(w.depth)::integer
  from walk w group by 1, 2, 3, 4, 5
$$;

create view lineage_upstream as
select v.id as dataset_version_id, v.dataset, v.partition, v.version, v.known_at,
  u.input_version_id, u.input_dataset, u.input_partition, i.version as input_version,
  i.known_at as input_known_at, i.kind as input_kind, u.depth
from dataset_version v
cross join lateral lineage_upstream_of(v.id) u
left join dataset_version i on i.id = u.input_version_id;

create view lineage_downstream as
select v.id as dataset_version_id, v.dataset, v.partition, v.version, v.known_at,
  o.id as output_version_id, o.dataset as output_dataset, o.partition as output_partition,
  o.version as output_version, o.known_at as output_known_at, d.depth
from dataset_version v
cross join lateral lineage_downstream_of(v.id) d
join dataset_version o on o.id = d.output_version_id;

create view lineage_columns as
select v.id as dataset_version_id, v.dataset, v.partition, v.version, c.column_name,
  c.input_version_id, c.input_dataset, i.partition as input_partition, i.version as input_version,
  c.input_column, c.transformation, c.depth
from dataset_version v
cross join lateral lineage_columns_of(v.id) c
left join dataset_version i on i.id = c.input_version_id;

create view lineage_runs as
select v.id as dataset_version_id, v.dataset, v.partition, v.version, v.known_at, v.rows, v.bytes,
  v.dag_id, v.run_id, v.task_id, v.dag_run_id, v.task_instance_id, v.attempt_id,
  r.run_type, r.logical_date, r.data_interval_start, r.data_interval_end,
  g.version_number as dag_version_number, g.bundle_hash, a.try_number, a.worker_id, a.start_date,
  a.end_date, a.rows_in, a.rows_generated, a.rows_out, a.rows_quarantined, a.rows_merged_away,
  a.rows_filtered
from dataset_version v
left join dag_run r on r.id = v.dag_run_id
left join dag_version g on g.id = v.dag_version_id
left join attempt a on a.id = v.attempt_id;
