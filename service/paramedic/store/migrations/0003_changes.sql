-- What CI reported as deployed: of one workload (target: cluster/namespace/kind/name), or of a service (then target is
-- where it runs: cluster/namespace, cluster, or nothing). The keys end in what makes a repeated report the same one.

create table change (
  target text not null,
  service text not null,
  version text not null,
  at timestamptz not null,
  url text not null,
  who text not null,
  primary key (target, at, version, service)
);
create index change_of_service on change (service, at) where service <> '';
create index change_at on change (at);
