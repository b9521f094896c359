-- What dashboards count: how orders ended lately. And where people are signed in to the web dashboard.

create index events_ended on registre.events (at) where kind in ('job.completed', 'job.failed');

-- What people did.
create index events_by_people on registre.events (id) where data ? 'author';

-- A person's stay: the SHA-256 of what their browser holds, and the key it stands for.
create table registre.web_sessions (
    digest text primary key,
    prefix text not null references registre.api_keys (prefix),
    created_at timestamptz not null,
    until timestamptz not null
);
create index web_sessions_until on registre.web_sessions (until);
