-- Tokens of workers: such a token may claim from its queues (`*`: all) and do nothing else.

alter table api_token add column queues text[];
alter table api_token add check ((role = 'worker') = (queues is not null));
