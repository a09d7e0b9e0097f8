-- What a new member reads of what the fenced ones left, all in one repeatable-read transaction. The tables of effects,
-- timers, holds and uses hold only what is open, so these reads may walk through them.

-- name: recover_shards
-- No row: the member is fenced, or was never one.
select array(select s.id from shard s where s.owner = m.id order by s.id) as shards
from member m
where m.id = :member::bigint and not m.fenced

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
-- What members have journalled who are gone (an id begins with its member's), in the order in which it came. A member
-- that lives routes its own.
select d.id, d.at, d.source, d.body, d.routed
from delivery d
where not d.routed and not exists (select from member m where m.id = d.id >> 36 and not m.fenced)
order by d.id

-- name: recover_holds
select scope, incident_id as incident, run, at from hold

-- name: recover_uses
select scope, at, incident_id as incident, run from use where at >= :since::timestamptz

-- name: recover_switch
select mode, until, who, reason, at, version, clock_timestamp() as now from switch where id = 1
