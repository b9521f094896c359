-- Every host that ever started a worker, and what its spool holds as far as the ledger knows.
create function registre.hosts_as_seen()
returns table (host text, version text, seen_at timestamptz, undelivered integer, oldest_undelivered_at timestamptz)
language sql stable as $$
    select h.host, h.version, h.seen_at, s.documents, s.since
    from registre.hosts h cross join lateral (
        select count(*)::integer as documents, min(p.secured_at) as since
        from registre.purchases p where p.host = h.host and p.state = 'secured') s
    order by h.host collate "C"
$$;
