-- breaking: programs before it write to backfill_event_run.
-- Cascades date by date: each date, and each partition of a DAG that datasets start, waits for exactly
-- those above that it needs.

alter table backfill_dag_run
  -- A partition of a DAG that datasets start; '': it goes by none. Then there is no date.
  add column partition_key text,
  alter column logical_date drop not null,
  add constraint backfill_dag_run_what_check check ((logical_date is null) <> (partition_key is null)),
  drop constraint backfill_dag_run_exception_reason_check,
  add constraint backfill_dag_run_exception_reason_check check (exception_reason in
    ('in flight', 'already exists', 'unknown', 'cancelled', 'upstream failed', 'other product',
    'nothing published', 'waits for others'));
create unique index backfill_dag_run_by_partition on backfill_dag_run (backfill_id, partition_key)
  where partition_key is not null;

create table backfill_need (
  entry_id bigint not null references backfill_dag_run on delete cascade,
  upstream_entry_id bigint not null references backfill_dag_run on delete cascade,
  primary key (entry_id, upstream_entry_id)
);
create index backfill_need_back on backfill_need (upstream_entry_id);

-- Events of a cascade's runs, kept from a DAG of it until its partition is due.
create table backfill_event (
  backfill_id bigint not null references backfill on delete cascade,
  asset_event_id uuid not null references asset_event on delete cascade,
  -- Null: not looked at yet.
  entry_id bigint references backfill_dag_run on delete cascade,
  released_at timestamptz,
  primary key (backfill_id, asset_event_id)
);
create index backfill_event_by_event on backfill_event (asset_event_id);
create index backfill_event_by_entry on backfill_event (entry_id);
create index backfill_event_held on backfill_event (backfill_id) where released_at is null;
create index backfill_by_events on backfill (dag_id) where kind = 'events' and completed_at is null;
drop table backfill_event_run;
