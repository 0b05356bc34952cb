-- Bulk jobs: one request for many runs, planned at once and done in sets.

create table bulk_job (
  id bigint generated always as identity primary key,
  -- Given by the client: a second request of the same key is the first one's.
  key text unique,
  request_hash text not null,
  action text not null check (action in ('trigger', 'cancel', 'clear', 'pause', 'unpause')),
  request jsonb not null,
  -- trigger: the version that all of its runs are of.
  dag_version_id uuid references dag_version,
  triggering_user_name text,
  is_cancelled boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  completed_at timestamptz
);
create index bulk_job_open on bulk_job (id) where completed_at is null;

create table bulk_item (
  bulk_id bigint not null references bulk_job on delete cascade,
  ordinal integer not null,
  dag_id text not null,
  run_id text,
  dag_run_id uuid,
  -- trigger: what the run is made from.
  plan jsonb,
  state text not null default 'planned' check (state in ('planned', 'done', 'refused', 'cancelled')),
  reason text,
  primary key (bulk_id, ordinal)
);
create index bulk_item_planned on bulk_item (bulk_id, ordinal) where state = 'planned';
