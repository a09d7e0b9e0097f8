-- What the engine reads while it works. Look-ups of many keys are LATERAL with OFFSET 0: whatever the planner thinks of
-- the tables, it goes by key, one after another.

-- name: episodes
select found.body, found.version
from
  unnest(:identity::text[], :source::text[]) u (identity, source),
  lateral (select e.body, e.version from episode e where e.identity = u.identity and e.source = u.source offset 0) found

-- name: episodes_of
select body, version from episode where incident_id = :incident::bigint and live

-- name: episodes_live
select body, version from episode where live

-- name: episodes_live_named
select found.body, found.version
from
  unnest(:alertnames::text[]) u (alertname),
  lateral (select e.body, e.version from episode e where e.alertname = u.alertname and e.live offset 0) found

-- name: incident_numbers
-- The first number of each block; the sequence counts by the length of a block.
select nextval('incident_number') as first from generate_series(1, :blocks::int)

-- name: switch
select mode, until, who, reason, at, version from switch where id = 1

-- name: bundle
select hash, at, body from bundle where hash = :hash

-- name: bundle_in_force
select b.hash, b.at, b.body from pointer p join bundle b on b.hash = p.hash where p.name = 'bundle'

-- name: bundle_adopt
-- Keeps the bundle in any case; moves the pointer only from where the caller believes it to be.
with kept as (
  insert into bundle (hash, at, body) values (:hash, :at, :body) on conflict (hash) do nothing
),
set_first as (
  insert into pointer (name, hash, at) select 'bundle', :hash, :at where :expected::text is null
  on conflict (name) do nothing
  returning 1
),
moved as (
  update pointer set hash = :hash, at = :at where name = 'bundle' and hash = :expected::text
  returning 1
)
select exists (select from set_first) or exists (select from moved)
