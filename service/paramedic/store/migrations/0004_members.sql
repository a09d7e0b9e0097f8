-- Several members at once: what one of them takes in for another one's shard, what people who asked one are answered by
-- another, who has claimed what, and which version of an episode somebody has seen.

-- Input for the owner of a shard. It goes in the commit that acts on it.
create table forwarded (
  id bigint primary key,
  shard smallint not null,
  at timestamptz not null,
  body bytea not null
);
create index forwarded_to on forwarded (shard, id);

-- What somebody is to be told who asked through another member; the one who waits for it takes it away.
create table answer (
  id bigint primary key,
  at timestamptz not null,
  body bytea not null
);

-- A target or budget, counted up by each claim: whoever has seen another version claims nothing.
create table scope (
  name text primary key,
  version bigint not null
);

-- An older member, which shares with nobody, does not say so.
alter table member add column sharing boolean not null default false;

-- Two members that make different things of one alert: the second is refused.
alter table episode add column version int not null default 0;
