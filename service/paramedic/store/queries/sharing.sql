-- What members ask of each other through the store: rows forwarded to a shard's owner, answers, and claims on scopes.

-- name: forwarded
-- The oldest first; ids grow within the member that wrote them.
select found.id, found.shard, found.at, found.body
from
  unnest(:shards::smallint[]) u (shard),
  lateral (
    select f.id, f.shard, f.at, f.body from forwarded f where f.shard = u.shard and f.id <> all(:but::bigint[])
    order by f.id limit :most::int
  ) found
order by found.id
limit :most::int

-- name: answers
-- Whoever waits for an answer takes it away. `any`: as in `commit`.
delete from answer a using unnest(:ids::bigint[]) u (id) where a.id = any(array[u.id]) returning a.id, a.at, a.body

-- name: answers_forgotten
-- Nobody has come for these: their process is gone, or has waited long enough.
delete from answer where at < clock_timestamp() - :age::interval

-- name: uses_forgotten
-- The oldest, so many at a time: no budget looks back that far any more. Two who are at it do not mind each other.
delete from use
where ctid = any(array(select ctid from use where at < :before::timestamptz order by at limit :most::int))

-- name: places
select i.id, i.shard, i.open
from unnest(:incidents::bigint[]) u (id), lateral (select id, shard, open from incident where id = u.id offset 0) i

-- name: storms
-- One row at most for each source: whether its storm is not over.
select u.key, found.id
from
  unnest(:keys::text[]) u (key),
  lateral (
    select id from incident where open and key = u.key and phase not in ('resolved', 'reviewed')
      and position('"parked":"'::bytea in state) = 0 -- one that cannot be decided any more holds nobody back
    offset 0
  ) found

-- name: openings
-- What began a minute ago at most is open: it takes a quarter of an hour at least to be closed.
select found.source, found.rule, found.severity, count(*)::int as count
from
  unnest(:shards::smallint[]) u (shard),
  lateral (
    select source, rule, severity from incident
    where open and shard = u.shard and opened_at > :since::timestamptz
      and key <> source || '{storm}' -- the parents of storms do not count
    offset 0
  ) found
group by found.source, found.rule, found.severity

-- name: scopes
-- One view of all: a claim decided by it is refused if the version has moved since.
select u.name, 'version' as what, coalesce(s.version, 0) as version, null::bigint as incident, null::int as run,
  null::timestamptz as at
from unnest(:names::text[]) u (name) left join lateral (select version from scope where name = u.name offset 0) s on true
union all
select u.name, 'hold', null, h.incident_id, h.run, h.at
from unnest(:names::text[]) u (name), lateral (select * from hold where scope = u.name offset 0) h
union all
select u.name, 'use', null, x.incident_id, x.run, x.at
from
  unnest(:names::text[]) u (name),
  lateral (select * from use where scope = u.name and at >= :since::timestamptz order by at offset 0) x

-- name: claim
-- Each claim (`n`) whole or not at all. The rows of the scopes are taken in the order of their names, so that two who
-- want several of them never wait for each other; who comes second finds another version.
with fence as materialized (select id from member where id = :member and not fenced for key share),
wanted as (select w.* from unnest(:n::int[], :scope::text[], :seen::bigint[]) w (n, scope, seen), fence),
moved as (
  insert into scope as s (name, version)
  select d.scope, d.seen + 1 from (select distinct scope, seen from wanted) d order by d.scope
  on conflict (name) do update set version = s.version + 1 where s.version = excluded.version - 1
  returning s.name
),
taken as (
  select w.n from wanted w left join moved m on m.name = w.scope group by w.n having count(m.name) = count(*)
),
held as (
  insert into hold (scope, incident_id, run, at)
  select h.scope, h.incident, h.run, h.at
  from
    unnest(:hold_n::int[], :hold_scope::text[], :hold_incident::bigint[], :hold_run::int[], :hold_at::timestamptz[])
      h (n, scope, incident, run, at)
    join taken t on t.n = h.n
),
used as (
  insert into use (scope, at, incident_id, run)
  select x.scope, x.at, x.incident, x.run
  from
    unnest(:use_n::int[], :use_scope::text[], :use_incident::bigint[], :use_run::int[], :use_at::timestamptz[])
      x (n, scope, incident, run, at)
    join taken t on t.n = x.n
  on conflict do nothing
)
select (select count(*) from fence) as alive, array(select n from taken order by n) as taken
