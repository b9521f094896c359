-- Gates, fees, budgets, batches, reuse, and counts that need no counting. Additive like everything before.

alter table public.extraction_queue
    add column if not exists batch_id uuid,
    add column if not exists fresh boolean not null default false,
    add column if not exists deadline timestamptz,
    add column if not exists attempt_until timestamptz,
    add column if not exists wait_reason text,
    -- Everything that a gate can hold back together: one number for each client, source and batch.
    add column if not exists lane bigint;

alter table public.worker_accounts
    add column if not exists ready_at timestamptz;

alter table registre.purchases
    add column if not exists source text not null default '',
    add column if not exists client text not null default '',
    add column if not exists batch_id uuid,
    add column if not exists spent_on date not null default current_date,
    add column if not exists settled_at timestamptz,
    add column if not exists settlement text check (settlement in ('rebuy', 'abandon', 'automatic')),
    add column if not exists settled_by text;

update registre.purchases set spent_on = (intended_at at time zone 'America/Toronto')::date;
update registre.purchases p set source = q.document_source::text, client = q.client from public.extraction_queue q where q.id = p.job_id;
alter table registre.purchases alter column source drop default, alter column client drop default, alter column spent_on drop default;

create index purchases_owned on registre.purchases (identity_key, intended_at desc) where state = 'delivered';
create index purchases_path on registre.purchases (object_key, bucket) where state = 'delivered';
create index purchases_spent on registre.purchases (spent_on) where state <> 'void';
create index purchases_batch on registre.purchases (batch_id) where batch_id is not null;
create index purchases_automatic on registre.purchases (settled_at) where settlement = 'automatic';

-- What an operator decides for every host of this database; one row.
create table registre.rules (
    one boolean primary key default true check (one),
    pace_seconds double precision not null default 5 check (pace_seconds between 0 and 86400),
    last_start_seconds integer not null default 300 check (last_start_seconds between 0 and 43200),
    attempt_seconds integer not null default 900 check (attempt_seconds between 30 and 86400),
    fresh_index_hours integer not null default 24 check (fresh_index_hours between 0 and 87600),
    fresh_plan_hours integer not null default 720 check (fresh_plan_hours between 0 and 87600),
    approval_above_cents integer check (approval_above_cents >= 0),
    rebuys_per_day integer not null default 0 check (rebuys_per_day between 0 and 1000),
    breaker_failures integer not null default 3 check (breaker_failures between 1 and 1000)
);
insert into registre.rules default values;

-- The registry's service, local time of America/Toronto, Monday is 1; no row at all: always open.
create table registre.service_hours (
    weekday smallint not null check (weekday between 1 and 7),
    opens time not null,
    closes time not null check (closes > opens),
    primary key (weekday, opens)
);

create table registre.holidays (
    day date primary key,
    name text not null
);

-- Closed by a person, until a person opens it.
create table registre.pauses (
    scope text not null check (scope in ('site', 'account', 'client', 'source')),
    name text not null,
    author text not null,
    reason text not null,
    at timestamptz not null,
    primary key (scope, name)
);

-- A source whose form is not what the profile says.
create table registre.frozen (
    source text primary key,
    reason text not null,
    at timestamptz not null
);

-- One row, once the site has failed. open_until set and past: one probe goes out.
create table registre.breaker (
    one boolean primary key default true check (one),
    failures integer not null default 0,
    trips integer not null default 0,
    last_failure_at timestamptz not null,
    reason text not null,
    open_until timestamptz,
    probe_until timestamptz
);

create table registre.fees (
    source text not null,
    valid_from date not null,
    cents integer not null check (cents between 0 and 1000000),
    primary key (source, valid_from)
);
insert into registre.fees values ('*', '2000-01-01', 150);

create table registre.budgets (
    scope text not null check (scope in ('site', 'account', 'client', 'batch')),
    name text not null,
    period text not null check (period in ('day', 'month', 'total')),
    cap_cents bigint not null check (cap_cents >= 0),
    primary key (scope, name, period),
    check ((scope = 'batch') = (period = 'total'))
);

-- What is used of every budget there could be: reserved by intend, given back by void. Each row is the sum of the fees of its
-- purchases that are not void. Filled, like the counts, when the functions come that keep it.
create table registre.spending (
    scope text not null,
    name text not null,
    period text not null,
    starts_on date not null,
    used_cents bigint not null,
    primary key (scope, period, starts_on, name)  -- those of one day together: '*' asks for all of them
);

create table registre.batches (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    client text not null,
    author text not null,
    created_at timestamptz not null,
    price_cents bigint not null,
    needs_approval boolean not null,
    approved_at timestamptz,
    approved_by text
);
create index batches_newest on registre.batches (created_at desc, id desc);
create index batches_unapproved on registre.batches (id) where needs_approval and approved_at is null;

-- How many rows each status has: differences, folded together by upkeep. A single row for each status would be one that every
-- worker waits for.
create table registre.job_counts (
    id bigint generated always as identity primary key,
    status text not null,
    jobs bigint not null
);

create index events_reused on registre.events (at) where kind = 'job.reused';

-- When the bell of events last rang, in milliseconds.
create sequence registre.bell;

create index if not exists extraction_queue_lanes on public.extraction_queue (lane, priority desc, position, id)
    where status = 'En attente' and is_due;
create index if not exists extraction_queue_identity on public.extraction_queue (identity_key)
    where status in ('En attente', 'En traitement');
create index if not exists extraction_queue_deadline on public.extraction_queue (deadline)
    where status = 'En attente' and deadline is not null;
create index if not exists extraction_queue_batch_waiting on public.extraction_queue (batch_id)
    where status = 'En attente' and batch_id is not null;
-- Listings: each index ends in status, source and instant, so that a walk over the few pairs of the first two finds the newest of
-- each, whatever is asked for (page_statement).
create index if not exists extraction_queue_status_newest
    on public.extraction_queue (status, document_source, created_at desc, id desc);
create index if not exists extraction_queue_client_newest
    on public.extraction_queue (client, status, document_source, created_at desc, id desc);
create index if not exists extraction_queue_batch
    on public.extraction_queue (batch_id, status, document_source, created_at desc, id desc) where batch_id is not null;
create index if not exists extraction_queue_kind_newest
    on public.extraction_queue (error_kind, status, document_source, created_at desc, id desc) where error_kind is not null;
create index if not exists extraction_queue_client_kind_newest
    on public.extraction_queue (client, error_kind, status, document_source, created_at desc, id desc) where error_kind is not null;
create index if not exists extraction_queue_batch_kind_newest
    on public.extraction_queue (batch_id, error_kind, status, document_source, created_at desc, id desc)
    where batch_id is not null and error_kind is not null;
drop index if exists public.extraction_queue_newest;
