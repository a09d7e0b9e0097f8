-- How far the database has come, and whether it holds what this process wrote last.

-- name: position_system
-- The name that initdb gave the database system. A dump that is loaded elsewhere gets another one; a replica has ours.
select system_identifier::text from pg_control_system()

-- name: position_wal
-- What is flushed, not what is inserted: the rest may be gone after a crash of the server, and nobody has been answered
-- for it.
select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint

-- name: position_find
select
  coalesce((select mark from reached where who = :who), 0) as mark,
  (select max(frozen) from reached where frozen_in = :system) as frozen

-- name: position_mark
-- Durable when it is answered, like everything that was answered before.
insert into reached (who, mark, at) values (:who, :mark, clock_timestamp())
on conflict (who) do update set mark = greatest(reached.mark, excluded.mark), at = excluded.at
returning mark, at

-- name: position_froze
insert into reached (who, mark, at, frozen, frozen_in) values (:who, 0, clock_timestamp(), clock_timestamp(), :system)
on conflict (who) do update set frozen = excluded.frozen, frozen_in = excluded.frozen_in
