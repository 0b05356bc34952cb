-- The spine: DAGs and their versions, runs, task instances, attempts, outputs, state,
-- the leader's lease, pools, backfills, and published datasets with their lineage.
-- Times are always passed in. Why: see docs/architecture.md.

create table dag (
  dag_id text primary key,
  is_paused boolean not null default false,
  is_stale boolean not null default false,
  fileloc text not null,
  dag_version_id uuid,
  next_run_at timestamptz,
  last_interval_start timestamptz,
  last_interval_end timestamptz,
  created_at timestamptz not null,
  last_parsed_at timestamptz not null
);

create table dag_version (
  id uuid primary key,
  dag_id text not null references dag on delete cascade,
  version_number integer not null,
  meaning_hash text not null,
  bundle_hash text not null,
  entry text not null,
  spec jsonb not null,
  created_at timestamptz not null,
  unique (dag_id, version_number)
);
alter table dag add foreign key (dag_version_id) references dag_version deferrable initially deferred;

create table pool (
  name text primary key,
  slots integer not null check (slots >= -1),
  description text not null default '',
  include_deferred boolean not null default false
);
insert into pool (name, slots, description) values ('default_pool', 128, 'Default pool');

create table leader_lease (
  name text primary key,
  holder text not null,
  epoch bigint not null,
  renewals bigint not null
);

create table backfill (
  id bigint generated always as identity primary key,
  dag_id text not null references dag on delete cascade,
  from_date timestamptz not null,
  to_date timestamptz not null,
  dag_run_conf jsonb not null default '{}',
  is_paused boolean not null default false,
  reprocess_behavior text not null default 'none'
    check (reprocess_behavior in ('none', 'failed', 'completed')),
  max_active_runs integer not null check (max_active_runs > 0),
  run_backwards boolean not null default false,
  triggering_user_name text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  completed_at timestamptz
);

create table dag_run (
  id uuid primary key,
  dag_id text not null references dag on delete cascade,
  run_id text not null,
  run_type text not null
    check (run_type in ('scheduled', 'manual', 'backfill', 'asset_triggered')),
  state text not null check (state in ('queued', 'running', 'success', 'failed')),
  logical_date timestamptz,
  data_interval_start timestamptz,
  data_interval_end timestamptz,
  run_after timestamptz not null,
  queued_at timestamptz not null,
  start_date timestamptz,
  end_date timestamptz,
  conf jsonb not null default '{}',
  dag_version_id uuid not null references dag_version,
  backfill_id bigint references backfill on delete set null,
  cancel_requested_at timestamptz,
  trace_parent text,
  triggered_by text not null default 'scheduler',
  triggering_user_name text,
  note text,
  clear_number integer not null default 0,
  product_version text,
  unique (dag_id, run_id),
  unique (dag_id, logical_date),
  check ((data_interval_start is null) = (data_interval_end is null)),
  check ((end_date is not null) = (state in ('success', 'failed')))
);
create index dag_run_unfinished on dag_run (dag_id, run_after)
  where state in ('queued', 'running');
create index dag_run_by_dag on dag_run (dag_id, run_after desc, id desc);
create index dag_run_by_time on dag_run (run_after desc, id desc);
create index dag_run_by_backfill on dag_run (backfill_id) where backfill_id is not null;

create table backfill_dag_run (
  id bigint generated always as identity primary key,
  backfill_id bigint not null references backfill on delete cascade,
  dag_run_id uuid references dag_run on delete set null,
  exception_reason text check (exception_reason in ('in flight', 'already exists', 'unknown')),
  logical_date timestamptz not null,
  sort_ordinal integer not null check (sort_ordinal >= 1),
  unique (backfill_id, logical_date)
);

create table task_instance (
  id uuid primary key,
  dag_run_id uuid not null references dag_run on delete cascade,
  dag_id text not null,
  task_id text not null,
  map_index integer not null default -1 check (map_index >= -1),
  state text not null check (state in ('none', 'scheduled', 'queued', 'running', 'cancelling',
    'success', 'failed', 'cancelled', 'skipped', 'upstream_failed', 'removed', 'up_for_retry',
    'up_for_reschedule')),
  attempt_id uuid,
  try_number integer not null default 0,
  max_tries integer not null,
  infra_losses integer not null default 0,
  next_try_at timestamptz,
  output_length integer,
  chosen jsonb,
  clear_requested boolean not null default false,
  queue text,
  pool text,
  pool_slots integer,
  priority_weight integer,
  queued_at timestamptz,
  start_date timestamptz,
  end_date timestamptz,
  note text,
  unique (dag_run_id, task_id, map_index)
) with (fillfactor = 80);
create index task_instance_queued on task_instance (queue, priority_weight desc, queued_at, id)
  where state = 'queued';
create index task_instance_occupying on task_instance (dag_run_id)
  where state in ('queued', 'running', 'cancelling');
create index task_instance_by_task on task_instance (dag_id, task_id, dag_run_id);

create table attempt (
  id uuid primary key,
  task_instance_id uuid not null references task_instance on delete cascade,
  dag_run_id uuid not null,
  try_number integer not null,
  state text not null check (state in ('queued', 'running', 'cancelling', 'ended')),
  end_reason text,
  evidence jsonb not null default '{}',
  worker_id text,
  hostname text,
  pid integer,
  beats bigint not null default 0,
  queued_at timestamptz not null,
  start_date timestamptz,
  end_date timestamptz,
  rows_in bigint,
  rows_generated bigint,
  rows_out bigint,
  rows_quarantined bigint,
  rows_merged_away bigint,
  rows_filtered bigint,
  metrics jsonb not null default '{}',
  rss_bytes_max bigint,
  cpu_ms double precision,
  check ((end_date is not null) = (state = 'ended')),
  check ((end_reason is not null) = (state = 'ended')),
  check (rows_in is null or rows_in + rows_generated
    = rows_out + rows_quarantined + rows_merged_away + rows_filtered)
) with (fillfactor = 80);
create index attempt_by_task_instance on attempt (task_instance_id, queued_at);
create index attempt_by_run on attempt (dag_run_id);
create index attempt_live on attempt (worker_id) where state in ('running', 'cancelling');

create table task_output (
  task_instance_id uuid primary key references task_instance on delete cascade,
  output jsonb,
  output_key text
);

create table task_state (
  dag_id text not null references dag on delete cascade,
  task_id text not null,
  map_index integer not null,
  key text not null,
  value jsonb not null,
  updated_at timestamptz not null,
  primary key (dag_id, task_id, map_index, key)
);

create table dataset (
  name text primary key,
  kind text not null check (kind in ('raw', 'table')),
  created_at timestamptz not null,
  last_known_at timestamptz
);

create table dataset_version (
  id uuid primary key,
  dataset text not null references dataset,
  partition text not null,
  version integer not null check (version >= 1),
  kind text not null check (kind in ('raw', 'table')),
  known_at timestamptz not null,
  sha256 text not null,
  rows bigint,
  bytes bigint not null,
  schema jsonb,
  files jsonb not null,
  lineage_files jsonb not null default '[]',
  metrics jsonb not null default '{}',
  attempt_id uuid not null,
  task_instance_id uuid,
  dag_run_id uuid,
  dag_version_id uuid,
  dag_id text not null,
  run_id text not null,
  task_id text not null,
  unique (dataset, partition, version),
  unique (attempt_id, dataset, partition)
);
create index dataset_version_known on dataset_version (dataset, known_at desc);
create index dataset_version_content on dataset_version (dataset, partition, sha256);
create index dataset_version_run on dataset_version (dag_run_id);

create table dataset_version_input (
  dataset_version_id uuid not null references dataset_version on delete cascade,
  ordinal integer not null,
  dataset text not null,
  partition text not null,
  input_version_id uuid references dataset_version on delete set null,
  primary key (dataset_version_id, ordinal)
);
create index dataset_version_input_back on dataset_version_input (input_version_id);

create table column_lineage (
  dataset_version_id uuid not null references dataset_version on delete cascade,
  column_name text not null,
  input_dataset text not null,
  input_column text not null,
  transformation text not null,
  primary key (dataset_version_id, column_name, input_dataset, input_column)
);

create table asset_event (
  id uuid primary key,
  dataset text not null references dataset,
  dataset_version_id uuid not null references dataset_version on delete cascade,
  created_at timestamptz not null
);
create index asset_event_by_dataset on asset_event (dataset, created_at desc);

create table quarantine (
  id uuid primary key,
  attempt_id uuid not null,
  task_instance_id uuid references task_instance on delete cascade,
  dag_run_id uuid not null,
  dataset text not null,
  source text not null,
  file jsonb not null,
  rows bigint not null check (rows > 0),
  reasons jsonb not null,
  created_at timestamptz not null
);
create index quarantine_by_run on quarantine (dag_run_id);
create index quarantine_by_dataset on quarantine (dataset, created_at desc);

create table quarantine_row (
  quarantine_id uuid not null references quarantine on delete cascade,
  ordinal integer not null,
  file text not null,
  row_number bigint,
  byte_offset bigint,
  column_name text,
  rule text not null,
  reason text not null,
  raw text not null,
  primary key (quarantine_id, ordinal)
);
