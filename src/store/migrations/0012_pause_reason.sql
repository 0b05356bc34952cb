-- Why a DAG is paused, where it was not a person who paused it.

alter table dag add column pause_reason text;
