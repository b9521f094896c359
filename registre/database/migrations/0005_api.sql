-- What the HTTP API keeps: its keys, and what became of requests that may be sent twice. And listings by number or place.

create table registre.api_keys (
    prefix text primary key,
    digest text not null,
    name text not null,
    role text not null check (role in ('viewer', 'requester', 'operator', 'admin')),
    author text not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text
);

-- Requests under a key of their sender's (Idempotency-Key), written in the transaction that orders.
create table registre.requests (
    sender text not null,
    key text not null,
    request_hash text not null,
    at timestamptz not null,
    jobs uuid[] not null default '{}',
    batch_id uuid,
    answer jsonb,
    primary key (sender, key)
);
create index requests_at on registre.requests (at);

create index if not exists extraction_queue_number
    on public.extraction_queue (document_number_normalized, status, document_source, created_at desc, id desc)
    where document_number_normalized is not null;
create index if not exists extraction_queue_place
    on public.extraction_queue (circonscription_fonciere, status, document_source, created_at desc, id desc)
    where circonscription_fonciere is not null;

-- Who is told of what, and every telling. client and batch_id null: of everything.
create table registre.webhooks (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    url text not null,
    secret text not null,
    kinds text[] not null,
    client text,
    batch_id uuid,
    author text not null,
    created_at timestamptz not null,
    removed_at timestamptz,
    removed_by text
);

create table registre.notices (
    id uuid primary key default gen_random_uuid(),
    webhook_id uuid not null references registre.webhooks (id),
    event_id bigint,
    kind text not null,
    body jsonb not null,
    created_at timestamptz not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given up')),
    attempts integer not null default 0,
    next_at timestamptz,
    status integer,
    error text,
    ended_at timestamptz,
    unique (webhook_id, event_id)
);
create index notices_due on registre.notices (next_at) where state = 'waiting';
create index notices_newest on registre.notices (webhook_id, created_at desc, id desc);

-- How far the events are turned into notices; one row, once there was a webhook.
create table registre.notices_read (
    one boolean primary key default true check (one),
    cursor text not null
);
