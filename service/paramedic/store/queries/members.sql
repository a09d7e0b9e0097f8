-- Who may write. A member is a row whose owner holds the advisory lock (77, id) on a connection of its own: while the
-- connection lives, the process lives. Each owns some of the shards; a member that is gone is fenced by one that lives.

-- name: member_number
-- An id never used before. It is also the fence: whoever commits under an older id is refused once it is fenced.
select nextval('member_id')

-- name: member_lock
-- Held until the connection ends.
select pg_advisory_lock(77, :member::int)

-- name: takeover_begin
-- One takeover at a time, until the end of the transaction.
select pg_advisory_xact_lock(78, 0)

-- name: members_alone
-- The members of a version that shares with nobody, and in whose place nobody may step: their lease runs, and somebody
-- holds their lock. `former` is the member that this very process has given up: nobody needs to wait for it, even while
-- the server still sees its connection.
select id
from member
where
  not fenced and not sharing and id <> :former::bigint
  and until > clock_timestamp() and not pg_try_advisory_xact_lock(77, id::int)
order by id

-- name: member_enter
insert into member (id, until, sharing) values (:member::bigint, clock_timestamp() + :ttl::interval, true)
returning clock_timestamp() as now

-- name: takeover
-- Fences the members that are gone and takes their shards, and those that nobody owns. `for update` waits for the commits
-- in flight; later ones find their member fenced. Who is fenced takes nothing.
with me as materialized (select id from member where id = :member::bigint and not fenced for key share),
gone as materialized (
  select m.id
  from member m, me
  where
    not m.fenced and m.id <> me.id
    and (m.id = :former::bigint or m.until <= clock_timestamp() or pg_try_advisory_xact_lock(77, m.id::int))
  for update of m
),
fenced as (update member m set fenced = true from gone where m.id = gone.id),
taken as (
  update shard s
  set owner = me.id, epoch = s.epoch + 1
  from me
  where
    s.owner is null
    or s.owner in (select id from gone)
    or not exists (select from member m where m.id = s.owner and not m.fenced)
  returning s.id
)
select array(select id from gone order by id) as fenced, array(select id from taken order by id) as taken

-- name: members_standing
-- Every member that is not fenced: whether it is gone, and its shards.
select
  m.id,
  m.id <> :member::bigint and (m.until <= clock_timestamp() or pg_try_advisory_xact_lock(77, m.id::int)) as gone,
  array(select s.id from shard s where s.owner = m.id order by s.id) as shards
from member m
where not m.fenced
order by m.id

-- name: shards_standing
-- What nobody owns who is not fenced, and how much is forwarded and waits.
select
  array(
    select s.id from shard s
    where s.owner is null or not exists (select from member m where m.id = s.owner and not m.fenced)
    order by s.id
  ) as orphans,
  (select count(*) from (select from forwarded limit 10000) f) as waiting

-- name: member_renew
-- No row: somebody has fenced us.
update member set until = clock_timestamp() + :ttl::interval where id = :member and not fenced
returning clock_timestamp() as now

-- name: member_leave
-- `fenced` is part of a key, so this waits for a commit in flight as a takeover does.
update member set fenced = true where id = :member

-- name: members_told
-- The others should look at once.
select pg_notify('paramedic', '')
