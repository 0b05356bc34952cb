-- The few task instances among millions that people look for. Only a failure writes to this index.

create index task_instance_failed on task_instance (id)
  where state in ('failed', 'cancelled', 'upstream_failed');
