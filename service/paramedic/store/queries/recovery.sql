-- What a new member reads of what the fenced ones left, all in one repeatable-read transaction. The tables of effects,
-- timers, holds and uses hold only what is open, so these reads may walk through them.

-- name: recover_shards
select id from shard where owner = :member::bigint

-- name: recover_incidents
select
  id, shard, key, source, title, severity, phase, rule, opened_at, updated_at,
  version, events, entries, head, state, open
from incident
where shard = any(:shards::smallint[]) and open

-- name: recover_effects
-- In the order in which they were asked for: effects of one channel keep it.
select incident_id as incident, n, shard, lane, body, intended, until
from effect
where shard = any(:shards::smallint[])
order by incident_id, n

-- name: recover_timers
select incident_id as incident, n, shard, due, name from timer where shard = any(:shards::smallint[])

-- name: recover_inbox
select found.incident_id as incident, found.seq, found.at, found.body, found.done
from
  (select distinct incident_id from event where not done) waiting,
  lateral (select shard from incident i where i.id = waiting.incident_id offset 0) of_shard,
  lateral (select e.* from event e where e.incident_id = waiting.incident_id and not e.done offset 0) found
where of_shard.shard = any(:shards::smallint[])
order by found.incident_id, found.seq

-- name: recover_todo
-- In the order in which they came.
select id, at, source, body, routed from delivery where not routed order by id

-- name: recover_holds
select scope, incident_id as incident, run, at from hold

-- name: recover_uses
select scope, at, incident_id as incident, run from use where at >= :since::timestamptz

-- name: recover_switch
select mode, until, who, reason, at, version, clock_timestamp() as now from switch where id = 1
