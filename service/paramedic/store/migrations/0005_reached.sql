-- What each process wrote last, counted up. It keeps the same number outside: a database with a lower one is an older
-- copy. `frozen`: when a process found that, and the system that it found it in.

create table reached (
  who text primary key,
  mark bigint not null,
  at timestamptz not null,
  frozen timestamptz,
  frozen_in text
) with (fillfactor = 50);
