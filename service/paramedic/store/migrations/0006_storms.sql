-- How many incidents began in the last minute, also those that other members opened: a storm is counted over all of them.
-- The moment never changes, so that updates of an incident stay in their page.

drop index incident_mine;
create index incident_mine on incident (shard, opened_at) where open;
