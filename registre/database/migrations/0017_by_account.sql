-- What a call asks of one account is found by an index, not by reading all accounts and all orders under way: else each call would
-- cost as much as the fleet is large.

create index if not exists worker_accounts_text_id on public.worker_accounts ((id::text));
create index if not exists worker_accounts_owner on public.worker_accounts (lease_owner);

-- In the place of the one by lease_until, which renewals change: a row whose indexed columns stay is rewritten in its own page, and
-- no index learns of it. Who looks for leases that ran out reads the orders under way, a few for each account.
create index if not exists extraction_queue_under_way on public.extraction_queue (account_id)
    where status = 'En traitement';
drop index if exists public.extraction_queue_leased;
