-- Task instances that wait without a slot: for a trigger, or for a person.

alter table task_instance drop constraint task_instance_state_check;
alter table task_instance add constraint task_instance_state_check check (state in
  ('none', 'scheduled', 'queued', 'running', 'cancelling', 'success', 'failed', 'cancelled',
    'skipped', 'upstream_failed', 'removed', 'up_for_retry', 'up_for_reschedule', 'deferred',
    'awaiting_input'));
-- What its next attempt is given after a wait; while it waits: what it is given when time is up.
alter table task_instance add column resumption jsonb;

-- A process that looks at triggers; one whose beats stand still is taken for dead by the others.
create table trigger_claimant (
  id text primary key,
  beats bigint not null default 1,
  joined_at timestamptz not null
);

create table trigger (
  task_instance_id uuid primary key references task_instance on delete cascade,
  attempt_id uuid not null,
  kind text not null,
  args jsonb not null,
  claimed_by text references trigger_claimant on delete set null,
  created_at timestamptz not null
);
create index trigger_unclaimed on trigger (created_at) where claimed_by is null;
create index trigger_claimed on trigger (claimed_by) where claimed_by is not null;

-- The newest question of an instance; `attempt_id` is the attempt that asked.
create table hitl_detail (
  task_instance_id uuid primary key references task_instance on delete cascade,
  attempt_id uuid not null,
  question jsonb not null,
  created_at timestamptz not null,
  reply jsonb,
  replied_at timestamptz,
  check ((reply is null) = (replied_at is null))
);
create index hitl_detail_open on hitl_detail (created_at) where reply is null;
