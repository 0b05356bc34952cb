-- Dead events are counted at each scrape: not by way of all that were delivered.

create index event_outbox_dead on event_outbox (seq) where state = 'dead';
