-- What the REST API adds to backfills: on which version runs run again, and which dates still lack
-- their run.

alter table backfill add column run_on_latest_version boolean not null default true;

create index backfill_dag_run_pending on backfill_dag_run (backfill_id, sort_ordinal)
  where dag_run_id is null and exception_reason is null;
create index backfill_active on backfill (dag_id) where completed_at is null;
