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
