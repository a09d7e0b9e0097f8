-- Who may write. A member is a row whose owner holds the advisory lock (77, id) on a connection of its own: while the
-- connection lives, the process lives. A member that waits for its turn has no row yet, so every row that is not fenced
-- is a member that may write.

-- name: member_number
-- An id never used before. It is also the fence: whoever commits under an older id is refused once it is fenced.
select nextval('member_id')

-- name: member_lock
-- Held until the connection ends.
select pg_advisory_lock(77, :member::int)

-- name: takeover_begin
-- One takeover at a time, until the end of the transaction.
select pg_advisory_xact_lock(78, 0)

-- name: members_living
-- The members in whose place nobody may step: their lease runs, and somebody holds their lock. `former` is the member
-- that this very process has given up: nobody needs to wait for it, even while the server still sees its connection.
select id
from member
where not fenced and id <> :former::bigint and until > clock_timestamp() and not pg_try_advisory_xact_lock(77, id::int)
order by id

-- name: takeover
-- Fences every other member, takes the shards, enters. `for update` waits for the commits in flight; later ones find
-- their member fenced.
with gone as materialized (select id from member where not fenced for update),
fenced as (update member m set fenced = true from gone where m.id = gone.id),
taken as (update shard set owner = :member::bigint, epoch = epoch + 1),
entered as (
  insert into member (id, until) values (:member::bigint, clock_timestamp() + :ttl::interval)
  returning clock_timestamp() as now
)
select entered.now, array(select id from gone order by id) as fenced from entered

-- name: member_renew
-- No row: somebody has fenced us.
update member set until = clock_timestamp() + :ttl::interval where id = :member and not fenced
returning clock_timestamp() as now

-- name: member_leave
-- `fenced` is part of a key, so this waits for a commit in flight as a takeover does.
update member set fenced = true where id = :member
