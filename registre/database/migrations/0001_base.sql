-- Creates what is missing and adopts what exists. Additive only: nothing is dropped, renamed or retyped;
-- `attemtps` is the contract's own spelling.

create table if not exists public.extraction_queue (
    id uuid primary key default gen_random_uuid(),
    document_source text not null,
    document_number text not null
);

alter table public.extraction_queue
    -- the contract of the predecessor
    add column if not exists document_number_normalized text,
    add column if not exists circonscription_fonciere text,
    add column if not exists cadastre text,
    add column if not exists designation_secondaire text,
    add column if not exists acte_type text,
    add column if not exists status text default 'En attente',
    add column if not exists worker_id text,
    add column if not exists attemtps integer default 0,
    add column if not exists max_attempts integer default 3,
    add column if not exists supabase_path text,
    add column if not exists error_message text,
    add column if not exists processing_started_at timestamptz,
    add column if not exists created_at timestamptz default now(),
    add column if not exists updated_at timestamptz default now(),
    -- who ordered, and the place in the queue
    add column if not exists client text not null default '',
    add column if not exists priority integer not null default 0,
    add column if not exists position double precision,
    add column if not exists identity_key text,
    add column if not exists is_due boolean not null default true,
    add column if not exists next_attempt_at timestamptz,
    -- the lease
    add column if not exists lease_owner text,
    add column if not exists lease_token bigint not null default 0,
    add column if not exists lease_until timestamptz,
    add column if not exists account_id text,
    add column if not exists step text,
    add column if not exists cancel_requested_at timestamptz,
    add column if not exists rescues integer not null default 0,
    -- how it ended
    add column if not exists purchase_id uuid,
    add column if not exists cost_cents integer not null default 0,
    add column if not exists error_kind text,
    add column if not exists needs_review boolean not null default false,
    add column if not exists notes jsonb not null default '[]',
    add column if not exists finished_at timestamptz;

create table if not exists public.worker_accounts (
    id uuid primary key default gen_random_uuid(),
    username text not null unique,
    password text not null
);

alter table public.worker_accounts
    add column if not exists is_active boolean default true,
    add column if not exists last_used timestamptz,
    add column if not exists failure_count integer default 0,
    add column if not exists created_at timestamptz default now(),
    add column if not exists updated_at timestamptz default now(),
    add column if not exists lease_owner text,
    add column if not exists lease_token bigint not null default 0,
    add column if not exists lease_until timestamptz,
    add column if not exists set_aside_reason text,
    add column if not exists set_aside_until timestamptz;

create table if not exists public.worker_status (
    worker_id text primary key
);

alter table public.worker_status
    add column if not exists status text,
    add column if not exists current_job_id uuid,
    add column if not exists account_id text,
    add column if not exists last_heartbeat timestamptz,
    add column if not exists started_at timestamptz default now(),
    add column if not exists jobs_completed integer default 0,
    add column if not exists jobs_failed integer default 0;

-- One row per host that ever ran a worker. `boot` changes at every start of the worker; leases are owned by boots.
create table registre.hosts (
    host text primary key,
    boot text not null,
    version text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null
);

-- Virtual time of the fair share: where each client's last order was queued, and how far the queue has been served.
create table registre.clients (
    name text primary key,
    last_position double precision not null default 0
);

create sequence registre.served_position;

-- The history of each lease: opened by lease_next, closed by whatever ended it.
create table registre.attempts (
    id bigint generated always as identity primary key,
    job_id uuid not null,
    token bigint not null,
    number integer not null,
    owner text not null,
    account_id text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    ending text,
    error_kind text,
    message text,
    evidence text,
    unique (job_id, token)
);

-- The ledger. A line is written before the first click that can be billed, and never deleted.
create table registre.purchases (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null,
    token bigint not null,
    account_id text not null,
    host text not null,
    identity_key text not null,
    state text not null check (state in ('intended', 'void', 'charged', 'secured', 'delivered', 'ambiguous')),
    fee_cents integer not null check (fee_cents >= 0),
    intended_at timestamptz not null,
    voided_at timestamptz,
    charged_at timestamptz,
    secured_at timestamptz,
    delivered_at timestamptz,
    ambiguous_at timestamptz,
    reason text,
    sha256 text,
    size_bytes bigint,
    pages integer,
    bucket text,
    object_key text,
    unique (job_id, token, id)
);

-- Not 'secured': a file found in a spool after a crash must be taken in even while its document is being bought again.
create unique index purchases_one_under_way on registre.purchases (identity_key) where state in ('intended', 'charged');
create index purchases_identity on registre.purchases (identity_key);
create index purchases_job on registre.purchases (job_id);
create index purchases_open on registre.purchases (host) where state in ('intended', 'charged', 'secured');

-- Facts, in the transaction that made them true. `xid` keeps a reader by cursor from overtaking a commit still under way.
create table registre.events (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null,
    kind text not null,
    job_id uuid,
    data jsonb not null default '{}'
);

create index events_cursor on registre.events (xid, id);
create index events_job on registre.events (job_id, id) where job_id is not null;

create index if not exists extraction_queue_claim on public.extraction_queue (priority desc, position, id)
    where status = 'En attente' and is_due;
create index if not exists extraction_queue_later on public.extraction_queue (next_attempt_at)
    where status = 'En attente' and not is_due;
create index if not exists extraction_queue_leased on public.extraction_queue (lease_until)
    where status = 'En traitement';
create index if not exists extraction_queue_newest on public.extraction_queue (created_at desc, id);
