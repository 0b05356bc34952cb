-- DAGs that run when datasets are published: events wait for each of them until a run takes them.

create table dataset_queue (
  dag_id text not null references dag on delete cascade,
  asset_event_id uuid not null references asset_event on delete cascade,
  primary key (dag_id, asset_event_id)
);
create index dataset_queue_by_event on dataset_queue (asset_event_id);

create table dag_run_asset_event (
  dag_run_id uuid not null references dag_run on delete cascade,
  asset_event_id uuid not null references asset_event on delete cascade,
  primary key (dag_run_id, asset_event_id)
);
create index dag_run_asset_event_by_event on dag_run_asset_event (asset_event_id);

-- Whoever publishes asks which DAGs wait for the dataset.
create index dag_version_datasets on dag_version using gin ((spec #> '{schedule,datasets}'));
