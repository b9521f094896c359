-- Every host that ever started a worker, how it stands, what it holds, and what its spool holds as far as the ledger knows.
create function registre.hosts_as_seen(p_now timestamptz default null)
returns table (host text, version text, seen_at timestamptz, undelivered integer, oldest_undelivered_at timestamptz, boot text,
               started_at timestamptz, state text, accounts integer, does_upkeep boolean, facts jsonb)
language sql stable as $$
    select h.host, h.version, h.seen_at, s.documents, s.since, h.boot, h.started_at,
        case when h.stopped_at is not null then 'stopped' when h.until > registre.instant(p_now) then 'alive' else 'silent' end,
        (select count(*)::integer from public.worker_accounts a
         where a.lease_owner = h.host || '/' || h.boot and a.lease_until > registre.instant(p_now)),
        exists (select from registre.upkeep u where u.owner = h.host || '/' || h.boot and u.until > registre.instant(p_now)),
        h.facts
    from registre.hosts h cross join lateral (
        select count(*)::integer as documents, min(p.secured_at) as since
        from registre.purchases p where p.host = h.host and p.state = 'secured') s
    order by h.host collate "C"
$$;
