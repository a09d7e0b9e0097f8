-- What CI reported: written by the API, read by the guard about recent changes.

-- name: change_report
-- Keeps a change, once however often it is reported, and drops some that nobody asks about any more.
with gone as (
  delete from change where ctid = any(array(
    select ctid from change where at < :oldest::timestamptz order by at limit 100
  ))
)
insert into change (target, service, version, at, url, who)
values (:target, :service, :version, :at::timestamptz, :url, :who)
on conflict (target, at, version, service) do nothing
returning true as new

-- name: changes_since
-- The newest changes of a workload, and of a service where it runs; a service without a place runs everywhere.
select target, service, version, at, url, who
from (
  (
    select * from change
    where target = :target and service = '' and at >= :since::timestamptz
    order by at desc
    limit :most::int
  )
  union all
  (
    select * from change
    where
      service = :service and service <> '' and at >= :since::timestamptz
      and (target = '' or starts_with(:target, target || '/'))
    order by at desc
    limit :most::int
  )
) found
order by at desc, target, version
limit :most::int
