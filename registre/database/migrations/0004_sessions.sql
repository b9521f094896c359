-- Sessions of the registry's site: what all hosts have learnt of its idle limit. Additive like everything before.

-- One row, once anything was seen. seconds null: no limit is learnt. survived_seconds: the longest idle time that a session was
-- seen to live through. doubted_*: a death that what is known does not explain, and when it was first seen.
create table registre.idle_limit (
    one boolean primary key default true check (one),
    seconds double precision check (seconds > 0),
    learnt_at timestamptz,
    survived_seconds double precision not null default 0,
    doubted_seconds double precision,
    doubted_at timestamptz
);
