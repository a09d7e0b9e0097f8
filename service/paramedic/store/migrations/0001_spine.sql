-- The spine: who may write (member, shard), what came in (delivery, rejected), what it means (episode, incident),
-- what happened (event, timeline, evidence), what is to be done (effect, timer), what is shared (hold, use), and what is
-- in force (switch, bundle, pointer).

create sequence member_id;
create sequence incident_number increment by 100 start with 1;

create table member (
  id bigint primary key,
  until timestamptz not null,
  fenced boolean not null default false,
  -- Makes `fenced` part of a key: otherwise a commit that began before we fence its member, and takes its key-share lock
  -- after, would be given the lock on the row as it was.
  unique (id, fenced)
) with (fillfactor = 20);

create table shard (
  id smallint primary key,
  owner bigint,
  epoch bigint not null default 0
) with (fillfactor = 50);
insert into shard (id) select generate_series(0, 63);

create table delivery (
  id bigint primary key,
  at timestamptz not null,
  source text not null,
  body bytea not null,
  routed boolean not null
);
create index delivery_todo on delivery (id) where not routed;

create table rejected (
  id bigint primary key,
  at timestamptz not null,
  source text not null,
  reason text not null,
  body bytea not null
);

create table episode (
  source text not null,
  identity text not null,
  alertname text not null,
  incident_id bigint,
  live boolean not null,
  body bytea not null,
  primary key (identity, source)
) with (fillfactor = 85);
create index episode_live on episode (alertname) where live;
create index episode_of on episode (incident_id) where live;

create table incident (
  id bigint primary key,
  shard smallint not null,
  key text not null,
  source text not null,
  title text not null,
  severity text not null,
  phase text not null,
  rule text not null,
  opened_at timestamptz not null,
  updated_at timestamptz not null,
  version int not null,
  events int not null,
  entries int not null,
  head bytea not null,
  state bytea not null,
  open boolean not null
) with (fillfactor = 70);
create unique index incident_open on incident (key) where open;
create index incident_mine on incident (shard) where open;

create table event (
  incident_id bigint not null,
  seq int not null,
  at timestamptz not null,
  body bytea not null,
  done boolean not null default true,
  primary key (incident_id, seq)
);
create index event_todo on event (incident_id) where not done;

create table timeline (
  incident_id bigint not null,
  seq int not null,
  at timestamptz not null,
  body bytea not null,
  hash bytea not null,
  primary key (incident_id, seq)
);

create table evidence (
  digest text primary key,
  name text not null,
  body bytea not null
);

create table effect (
  incident_id bigint not null,
  n int not null,
  shard smallint not null,
  lane text not null,
  body bytea not null,
  intended boolean not null default false,
  until timestamptz,
  primary key (incident_id, n)
) with (fillfactor = 50); -- each is changed once and deleted soon

create table timer (
  incident_id bigint not null,
  n int not null,
  shard smallint not null,
  due timestamptz not null,
  name text not null,
  primary key (incident_id, n)
);

create table hold (
  scope text primary key,
  incident_id bigint not null,
  run int not null,
  at timestamptz not null
);

create table use (
  scope text not null,
  at timestamptz not null,
  incident_id bigint not null,
  run int not null,
  primary key (scope, at, incident_id, run)
);
create index use_at on use (at);

create table switch (
  id smallint primary key check (id = 1),
  mode text not null,
  until timestamptz,
  who text not null,
  reason text not null,
  at timestamptz,
  version bigint not null
);
insert into switch values (1, 'auto', null, '', '', null, 0);

create table bundle (
  hash text primary key,
  at timestamptz not null,
  body bytea not null
);

create table pointer (
  name text primary key,
  hash text not null references bundle (hash),
  at timestamptz not null
);
