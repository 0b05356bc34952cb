-- What retention must know to clean up outside of the database: attempts whose rows are gone, however
-- they went, and how far it has come with attempts that did not succeed.

create table removed_attempt (
  id uuid primary key,
  dag_run_id uuid not null,
  -- Null until retention has seen it: a deleted row cannot say what time it is.
  due_at timestamptz
);
create index removed_attempt_due on removed_attempt (due_at, id);

create function note_removed_attempts() returns trigger language plpgsql as $$
begin
  insert into removed_attempt (id, dag_run_id) select id, dag_run_id from gone
    on conflict do nothing;
  return null;
end
$$;
create trigger attempt_removed after delete on attempt referencing old table as gone
  for each statement execute function note_removed_attempts();

create table retention_mark (
  name text primary key,
  at timestamptz not null,
  id uuid not null
);

create index attempt_unsuccessful on attempt (end_date, id) where end_reason <> 'success';
create index dag_version_by_bundle on dag_version (bundle_hash);

-- Dear, so that the indexes are asked and not every row.
create function file_keys(files jsonb) returns text[]
language sql immutable strict parallel safe cost 10000 as $$
  select array(select file ->> 'key' from jsonb_array_elements(files) file)
$$;
create index dataset_version_file_keys on dataset_version using gin (file_keys(files));
create index dataset_version_lineage_keys on dataset_version using gin (file_keys(lineage_files));
