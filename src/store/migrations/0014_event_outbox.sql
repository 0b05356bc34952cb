-- Events for those who asked to be told: written with the state that they tell of, one row a
-- target, delivered at least once. next_at is also a lease: whoever delivers sets it ahead.

create table event_outbox (
  seq bigint generated always as identity primary key,
  event_id uuid not null,
  ordinal integer not null,
  type text not null,
  dag_id text not null,
  dag_run_id uuid not null,
  task_instance_id uuid,
  subject text not null,
  occurred_at timestamptz not null,
  data jsonb not null,
  target jsonb not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  tries integer not null default 0,
  next_at timestamptz not null,
  ended_at timestamptz,
  last_error text,
  unique (event_id, ordinal),
  check ((ended_at is not null) = (state <> 'pending'))
);
create index event_outbox_due on event_outbox (next_at) where state = 'pending';
create index event_outbox_ended on event_outbox (ended_at) where state <> 'pending';
create index event_outbox_run on event_outbox (dag_run_id);

alter table dag_run add column callback_depth integer not null default 0;
