-- What people and the parser keep: DAG files as parsed, connections and variables (sealed), tokens of
-- the API, and the audit log, in which each entry's hash covers the one before it.

alter table dag_version add column source text not null default '';

create table dag_bundle (
  hash text primary key,
  files jsonb not null,
  packed_bytes bigint not null check (packed_bytes >= 0),
  created_at timestamptz not null
);

create table parsed_file (
  file text primary key,
  fingerprint text,
  sources jsonb not null,
  kind text not null check (kind in ('dags', 'library', 'error')),
  parsed_at timestamptz not null
);

create table import_error (
  id bigint generated always as identity primary key,
  file text not null unique,
  message text not null,
  path text not null,
  line integer,
  column_number integer,
  frame text,
  created_at timestamptz not null
);

-- password and extra are inside of sealed; see docs/decisions/0003-sealed-secrets.md
create table connection (
  connection_id text primary key,
  conn_type text not null,
  description text,
  host text,
  port integer check (port between 0 and 65535),
  schema text,
  login text,
  key_id text not null,
  wrapped_key bytea not null,
  sealed bytea not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table variable (
  key text primary key,
  description text,
  key_id text not null,
  wrapped_key bytea not null,
  sealed bytea not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table api_token (
  id uuid primary key,
  name text not null,
  role text not null,
  token_sha256 text not null unique,
  created_by text,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table audit_log (
  id bigint primary key,
  logged_at timestamptz not null,
  event text not null,
  actor text not null,
  dag_id text,
  run_id text,
  task_id text,
  map_index integer,
  try_number integer,
  extra jsonb not null default '{}',
  previous_hash text not null,
  hash text not null
);
create index audit_log_by_time on audit_log (logged_at desc, id desc);
create index audit_log_by_dag on audit_log (dag_id, id desc) where dag_id is not null;

-- One row: the end of the chain. Whoever appends holds its lock.
create table audit_head (
  name text primary key default 'head' check (name = 'head'),
  id bigint not null,
  hash text not null
);
insert into audit_head (id, hash) values (0, '');
