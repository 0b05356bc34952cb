-- By when runs and tasks must have succeeded. Made with the run; settled once by the leader.

create table deadline (
  id uuid primary key,
  dag_run_id uuid not null references dag_run on delete cascade,
  name text not null,
  -- Null: of the run.
  task_id text,
  -- Null: counted from the run's start, which has not come.
  deadline_time timestamptz,
  within_ms bigint not null,
  notify jsonb not null,
  created_at timestamptz not null,
  settled_at timestamptz,
  missed boolean not null default false,
  check (not missed or settled_at is not null)
);
create index deadline_by_run on deadline (dag_run_id);
create index deadline_unsettled on deadline (deadline_time) where settled_at is null;
