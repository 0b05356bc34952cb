-- Maintenance windows and blackout dates of a pool; null: it is never closed.

alter table pool add column closings jsonb;
