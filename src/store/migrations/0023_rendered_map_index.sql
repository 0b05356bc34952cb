-- What an instance of a mapped task is shown by, in place of its index.

alter table task_instance add column rendered_map_index text;
