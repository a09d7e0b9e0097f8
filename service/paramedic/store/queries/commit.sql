-- The parts of a commit. Those that have rows are put together into one statement, `commit_timers` as the CTE
-- `did_timers`: one round trip, all or nothing. Parameters are arrays, one for each column, named after the fields of
-- the rows in `port`; those of numbers and moments come as text, for the driver's sake. Every part joins `fence`, so
-- that without the fence no part writes anything.
--
-- All parts see the tables as they were before the statement. Where one must come after another, `commit` says so.
-- An update by key never names the predicate of a partial index: the planner would scan that index for every row. It
-- says `= any(array[...])` instead of `=`: where the last analyse found a table all but empty, the planner would hold
-- each row given against every row of the table, in the order of its key, and keep to that when the table fills up.

-- name: commit_fence
-- One row while the member may write. The lock is shared with heartbeats, and makes a takeover wait for this statement.
select id as me from member where id = :member and not fenced for key share

-- name: commit_deliveries
insert into delivery (id, at, source, body, routed)
select u.*
from
  unnest(
    :id::text::bigint[], :at::text::timestamptz[], :source::text[], :body::bytea[], :routed::text::boolean[]
  ) u,
  fence

-- name: commit_routed
-- Deliveries that were journalled alone, and have found their incidents now.
update delivery d set routed = true from unnest(:ids::text::bigint[]) u (id), fence where d.id = any(array[u.id])

-- name: commit_rejected
insert into rejected (id, at, source, reason, body)
select u.*
from unnest(:id::text::bigint[], :at::text::timestamptz[], :source::text[], :reason::text[], :body::bytea[]) u, fence

-- name: commit_episodes
-- Only from the version that the new one was made from, counted like the changed incidents: two members may have been
-- told of one alert. Those that neither had seen before are version 1 to both.
insert into episode as e (source, identity, alertname, incident_id, live, body, version)
select u.source, u.identity, u.alertname, u.incident, u.live, u.body, u.version
from
  unnest(
    :source::text[], :identity::text[], :alertname::text[], :incident::text::bigint[], :live::text::boolean[],
    :body::bytea[], :version::text::int[]
  ) u (source, identity, alertname, incident, live, body, version),
  fence
order by u.identity, u.source
on conflict (identity, source) do update
set incident_id = excluded.incident_id, live = excluded.live, body = excluded.body, version = excluded.version
where e.version = excluded.version - 1
returning 1

-- name: commit_incidents_changed
-- Only from the version that the new one was made from; `whole` in `commit_answer` counts them.
update incident i
set
  title = u.title, severity = u.severity, phase = u.phase, rule = u.rule, updated_at = u.updated_at,
  version = u.version, events = u.events, entries = u.entries, head = u.head, state = u.state, open = u.open
from
  unnest(
    :id::text::bigint[], :title::text[], :severity::text[], :phase::text[], :rule::text[],
    :updated_at::text::timestamptz[],
    :version::text::int[], :events::text::int[], :entries::text::int[], :head::bytea[], :state::bytea[],
    :open::text::boolean[]
  ) u (id, title, severity, phase, rule, updated_at, version, events, entries, head, state, open),
  fence
where i.id = any(array[u.id]) and i.version = u.version - 1
returning 1

-- name: commit_incidents_new
-- After the changed ones: a key may be free only since one of them was closed in this very commit.
insert into incident (
  id, shard, key, source, title, severity, phase, rule, opened_at, updated_at,
  version, events, entries, head, state, open
)
select u.*
from
  unnest(
    :id::text::bigint[], :shard::text::smallint[], :key::text[], :source::text[], :title::text[], :severity::text[],
    :phase::text[], :rule::text[], :opened_at::text::timestamptz[], :updated_at::text::timestamptz[],
    :version::text::int[], :events::text::int[], :entries::text::int[], :head::bytea[], :state::bytea[],
    :open::text::boolean[]
  ) u,
  fence

-- name: commit_events
insert into event (incident_id, seq, at, body, done)
select u.*
from
  unnest(
    :incident::text::bigint[], :seq::text::int[], :at::text::timestamptz[], :body::bytea[], :done::text::boolean[]
  ) u,
  fence

-- name: commit_events_done
update event e set done = true
from unnest(:incident::text::bigint[], :seq::text::int[]) u (incident_id, seq), fence
where e.incident_id = any(array[u.incident_id]) and e.seq = any(array[u.seq])

-- name: commit_timeline
insert into timeline (incident_id, seq, at, body, hash)
select u.*
from
  unnest(
    :incident::text::bigint[], :seq::text::int[], :at::text::timestamptz[], :body::bytea[], :hash::bytea[]
  ) u,
  fence

-- name: commit_effects
insert into effect (incident_id, n, shard, lane, body, intended, until)
select u.*
from
  unnest(
    :incident::text::bigint[], :n::text::int[], :shard::text::smallint[], :lane::text[], :body::bytea[],
    :intended::text::boolean[],
    :until::text::timestamptz[]
  ) u,
  fence

-- name: commit_intents
-- Counted like the changed incidents: a call must not leave for an effect that is not there.
update effect e set intended = true, until = u.until
from unnest(:incident::text::bigint[], :n::text::int[], :until::text::timestamptz[]) u (incident_id, n, until), fence
where e.incident_id = any(array[u.incident_id]) and e.n = any(array[u.n])
returning 1

-- name: commit_effects_gone
delete from effect e
using unnest(:incident::text::bigint[], :n::text::int[]) u (incident_id, n), fence
where e.incident_id = any(array[u.incident_id]) and e.n = any(array[u.n])

-- name: commit_timers
insert into timer (incident_id, n, shard, due, name)
select u.*
from
  unnest(
    :incident::text::bigint[], :n::text::int[], :shard::text::smallint[], :due::text::timestamptz[], :name::text[]
  ) u,
  fence

-- name: commit_timers_gone
delete from timer t
using unnest(:incident::text::bigint[], :n::text::int[]) u (incident_id, n), fence
where t.incident_id = any(array[u.incident_id]) and t.n = any(array[u.n])

-- name: commit_holds_gone
delete from hold h using unnest(:scopes::text[]) u (scope), fence where h.scope = any(array[u.scope])
returning 1

-- name: commit_holds
-- After those that were let go, which may be the same scopes. A scope that is still held makes the whole commit fail.
insert into hold (scope, incident_id, run, at)
select u.* from unnest(:scope::text[], :incident::text::bigint[], :run::text::int[], :at::text::timestamptz[]) u, fence

-- name: commit_uses
insert into use (scope, at, incident_id, run)
select u.*
from unnest(:scope::text[], :at::text::timestamptz[], :incident::text::bigint[], :run::text::int[]) u, fence
on conflict do nothing

-- name: commit_evidence
insert into evidence (digest, name, body)
select u.* from unnest(:digest::text[], :name::text[], :body::bytea[]) u, fence
on conflict do nothing

-- name: commit_forwarded
insert into forwarded (id, shard, at, body)
select u.* from unnest(:id::text::bigint[], :shard::text::smallint[], :at::text::timestamptz[], :body::bytea[]) u, fence

-- name: commit_forwarded_gone
delete from forwarded f using unnest(:ids::text::bigint[]) u (id), fence where f.id = any(array[u.id])

-- name: commit_answers
insert into answer (id, at, body)
select u.* from unnest(:id::text::bigint[], :at::text::timestamptz[], :body::bytea[]) u, fence

-- name: commit_given
-- Only what is ours can be given; counted like the changed incidents.
update shard s set owner = u.member, epoch = s.epoch + 1
from unnest(:shard::text::smallint[], :member::text::bigint[]) u (shard, member), fence
where s.id = any(array[u.shard]) and s.owner = fence.me
returning 1

-- name: commit_tell
-- Counted, so that it is carried out.
select pg_notify('paramedic', '') from fence

-- name: commit_switch
-- Only from the version that the new one was made from; counted like the changed incidents.
update switch s
set mode = :mode, until = :until, who = :who, reason = :reason, at = :at, version = :version
from fence
where s.id = 1 and s.version = :version - 1
returning s.*

-- name: commit_switch_kept
-- What a commit that does not set the switch answers in place of `commit_switch`.
select * from switch where id = 1

-- name: commit_answer
-- Ends the statement. `alive` 0: fenced. When fewer rows were changed than expected, the division by zero undoes all.
select
  alive.n as alive,
  1 / (alive.n = 0 or written.n = :expected::bigint)::int as whole,
  clock_timestamp() as now,
  standing.mode, standing.until, standing.who, standing.reason, standing.at, standing.version
from (select count(*) as n from fence) alive cross join written left join standing on true
