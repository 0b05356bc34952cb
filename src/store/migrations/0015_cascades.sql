-- Cascades: the runs that the dataset events of a backfill start, and what was published by a DAG.

create table backfill_event_run (
  backfill_id bigint not null references backfill on delete cascade,
  dag_run_id uuid not null references dag_run on delete cascade,
  primary key (backfill_id, dag_run_id)
);
create index backfill_event_run_by_run on backfill_event_run (dag_run_id);
create index dataset_version_by_dag on dataset_version (dag_id);
