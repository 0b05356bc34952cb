-- Events from webhooks, files and topics: who watches what, and what was refused.

create index dag_version_watch on dag_version ((spec #>> '{schedule,watch,kind}'))
  where spec #>> '{schedule,watch,kind}' is not null;

create table refused_event (
  id bigint generated always as identity primary key,
  dataset text not null,
  place text not null,
  reason text not null,
  raw text not null,
  created_at timestamptz not null,
  unique (dataset, place)
);
create index refused_event_by_time on refused_event (created_at);
