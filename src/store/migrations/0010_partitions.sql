-- Runs for partitions of datasets, and dataset events that come from outside, each once.

alter table dataset add column id bigint generated always as identity unique;
alter table dataset drop constraint dataset_kind_check;
alter table dataset add check (kind in ('raw', 'table', 'external'));

alter table asset_event add column seq bigint generated always as identity unique;
alter table asset_event alter column dataset_version_id drop not null;
alter table asset_event add column partition text;
alter table asset_event add column event_key text;
alter table asset_event add column extra jsonb not null default '{}';
update asset_event e set partition = v.partition
from dataset_version v where v.id = e.dataset_version_id;
-- One event a key, however often its source repeats it.
create unique index asset_event_key on asset_event (dataset, event_key) where event_key is not null;
create index asset_event_by_partition on asset_event (dataset, partition);

alter table dataset_queue add column id bigint generated always as identity;
alter table dataset_queue add column dataset text;
alter table dataset_queue add column partition text not null default '';
update dataset_queue q set dataset = e.dataset, partition = coalesce(e.partition, '')
from asset_event e where e.id = q.asset_event_id;
alter table dataset_queue alter column dataset set not null;

alter table dag_run add column partition_key text;
alter table dag_run drop constraint dag_run_run_type_check;
alter table dag_run add constraint dag_run_run_type_check check (run_type in
  ('scheduled', 'manual', 'backfill', 'asset_triggered', 'asset_materialization'));
create index dag_run_by_partition on dag_run (dag_id, partition_key)
  where partition_key is not null;

-- An event starts at most one run of a DAG, whoever leads.
alter table dag_run_asset_event add column dag_id text;
update dag_run_asset_event c set dag_id = r.dag_id from dag_run r where r.id = c.dag_run_id;
delete from dag_run_asset_event a using dag_run_asset_event b
where a.dag_id = b.dag_id and a.asset_event_id = b.asset_event_id and a.dag_run_id > b.dag_run_id;
alter table dag_run_asset_event alter column dag_id set not null;
create unique index dag_run_asset_event_once on dag_run_asset_event (dag_id, asset_event_id);
