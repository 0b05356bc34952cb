-- Retries of DAGs that have a budget of them: what a run, and a DAG within an hour, has used.

create table retry_use (
  attempt_id uuid primary key,
  dag_id text not null references dag on delete cascade,
  dag_run_id uuid not null references dag_run on delete cascade,
  -- When its run was queued last: a clear gives the run its share anew.
  run_queued_at timestamptz not null,
  retried_at timestamptz not null
);

create index retry_use_run on retry_use (dag_run_id);
create index retry_use_dag on retry_use (dag_id, retried_at);
