-- Indexes behind the keys that a removed run is looked up by, so that retention scans no table.

create index quarantine_by_task_instance on quarantine (task_instance_id);
create index backfill_dag_run_by_run on backfill_dag_run (dag_run_id);
create index dag_run_by_version on dag_run (dag_version_id);
create index asset_event_by_time on asset_event (created_at);
