-- A claim reads the queue in its order and stops at its slots. By queue first, it sorted all that was
-- queued each time, dead rows included: a run of 100,000 tasks took time by their square.
-- The other index served nothing any more, and was written twice for each attempt.

drop index task_instance_queued;
create index task_instance_queued on task_instance (priority_weight desc, queued_at, id)
  where state = 'queued';
drop index task_instance_occupying;
