-- A backfill that runs dates again as they were leaves out what ran on another product, unless forced.

alter table backfill add column force boolean not null default false;
alter table backfill_dag_run
  drop constraint backfill_dag_run_exception_reason_check,
  add constraint backfill_dag_run_exception_reason_check check (exception_reason in
    ('in flight', 'already exists', 'unknown', 'cancelled', 'upstream failed', 'other product'));
