-- What people do to runs by hand: states that they set, tasks that start whatever came before,
-- pausing of all DAGs, and draining for maintenance.

alter table task_instance
  -- What a running instance is to be once its process is gone; null: cancelled, or cleared.
  add column cancel_to text check (cancel_to in ('success', 'failed', 'skipped')),
  -- It starts without a look at its upstreams: somebody asked for this task alone.
  add column is_forced boolean not null default false;

-- The image that ran it, where the deployment names one; product_version is there already.
alter table dag_run add column image text;

-- Paused by a pause of all, and not by itself: unpausing all lets these go on.
alter table dag add column paused_by_all boolean not null default false;

-- With the lease, so that each write of the leader sees a drain at once.
alter table leader_lease
  add column drain_at timestamptz,
  add column drain_by text,
  add column drain_note text,
  add column paused_all_at timestamptz;
