-- Backfills that go on for long: several at once per DAG, a share of the capacity, dates that are
-- planned first and get their runs as there is room, and cascades from a DAG to what reads its data.

alter table backfill
  add column share double precision not null default 1 check (share > 0 and share <= 1),
  add column end_reason text check (end_reason in ('completed', 'cancelled', 'upstream_failed')),
  -- The backfill that a cascade began with, itself included.
  add column cascade_id bigint references backfill on delete cascade,
  -- dates: runs of its own; events: the runs that its upstreams' dataset events start.
  add column kind text not null default 'dates' check (kind in ('dates', 'events'));
update backfill set end_reason = 'completed' where completed_at is not null;
alter table backfill
  add constraint backfill_end_check check ((end_reason is null) = (completed_at is null));
create index backfill_by_cascade on backfill (cascade_id) where cascade_id is not null;

-- What a backfill of a cascade waits for.
create table backfill_upstream (
  backfill_id bigint not null references backfill on delete cascade,
  upstream_id bigint not null references backfill on delete cascade,
  datasets text[] not null,
  primary key (backfill_id, upstream_id)
);
create index backfill_upstream_back on backfill_upstream (upstream_id);

alter table backfill_dag_run
  -- Null in rows from before: found by the schedule.
  add column interval_start timestamptz,
  add column interval_end timestamptz,
  add column run_after timestamptz,
  -- Asked to run again because its run failed.
  add column is_rerun boolean not null default false,
  drop constraint backfill_dag_run_exception_reason_check,
  add constraint backfill_dag_run_exception_reason_check check (exception_reason in
    ('in flight', 'already exists', 'unknown', 'cancelled', 'upstream failed'));

-- Place among the runs of its backfill.
alter table dag_run add column backfill_ordinal integer;
