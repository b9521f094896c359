-- Tests of a sign-in that people asked for: of each account the last one, and how it ended.

-- token: the lease under which it is made; until there is one nobody has taken it up.
create table registre.sign_in_tests (
    account_id text primary key,
    asked_at timestamptz not null,
    asked_by text not null,
    token bigint,
    began_at timestamptz,
    ended_at timestamptz,
    outcome text check (outcome in ('ok', 'refused', 'unreachable')),
    message text,
    seconds double precision,
    check ((ended_at is null) = (outcome is null))
);
