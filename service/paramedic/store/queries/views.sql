-- The read models of console/views.py. Each asks for little more than it shows, and goes by an index.

-- name: view_open
-- Open incidents, the most urgent first and the newest first among equals; after (severity, id) where a page ends.
select id, state
from incident
where open
  and (severity, -id) > (:after_severity::text, :after_id::bigint)
  and (:severity::text is null or severity = :severity)
  and (:phase::text is null or phase = :phase)
  and (:since::timestamptz is null or opened_at >= :since)
  and (:id::bigint is null or id = :id)
  and (:q::text is null or position(:q in lower(title || ' ' || key || ' ' || rule || ' ' || source)) > 0)
order by severity, -id
limit :most::int

-- name: view_past
-- Closed incidents, the newest first; after (opened_at, id) where a page ends.
select id, state
from incident
where not open
  and (opened_at, id) < (:before::timestamptz, :before_id::bigint)
  and (:severity::text is null or severity = :severity)
  and (:phase::text is null or phase = :phase)
  and opened_at >= coalesce(:since::timestamptz, '-infinity')
  and (:id::bigint is null or id = :id)
  and (:q::text is null or position(:q in lower(title || ' ' || key || ' ' || rule || ' ' || source)) > 0)
order by opened_at desc, id desc
limit :most::int

-- name: view_marked
-- Open incidents whose stored state holds one of these pieces of JSON, most urgent first: what waits for a person.
-- The caller reads the state again: the piece may stand where it means something else.
select id, state
from incident
where open and exists (select from unnest(:marks::bytea[]) as mark where position(mark in state) > 0)
order by severity, -id
limit :most::int

-- name: view_incident
-- One incident, and how its chain of entries must end.
select id, state, head, entries
from incident
where id = :id

-- name: view_timeline
-- The next rows of an incident's timeline, in order.
select seq, at, body, hash
from timeline
where incident_id = :id and seq > :after::int and seq <= :upto::int
order by seq
limit :most::int

-- name: view_evidence
-- One piece of evidence.
select digest, name, body
from evidence
where digest = :digest

-- name: view_switch
-- The global switch.
select mode, until, who, reason, at, version
from switch
where id = 1
