-- What a person should know without looking; and from when on it is worth saying.

create table registre.alerts (
    id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    data jsonb not null,
    opened_at timestamptz not null,
    closed_at timestamptz
);
create unique index alerts_open on registre.alerts (kind, subject) where closed_at is null;

alter table registre.rules
    add column alert_backlog_minutes integer not null default 10 check (alert_backlog_minutes between 1 and 10080),
    add column alert_failures integer not null default 10 check (alert_failures between 1 and 100000),
    add column alert_budget_percent integer not null default 80 check (alert_budget_percent between 1 and 100),
    add column alert_spool_minutes integer not null default 30 check (alert_spool_minutes between 1 and 10080),
    add column alert_spool_documents integer not null default 50 check (alert_spool_documents between 1 and 100000);
