-- What the monitoring looks at. Reads only.

-- Every worker that was ever reported. Its own word counts while somebody holds its account's lease, or, for another program's
-- worker, while it was heard of lately; else it is offline, whatever it said last.
create function registre.workers_as_seen(p_now timestamptz default null)
returns table (worker text, status text, account text, job_id uuid, heartbeat timestamptz, started_at timestamptz, step text)
language sql stable as $$
    select w.worker_id::text,
        case when a.lease_until > registre.instant(p_now) and w.worker_id::text = split_part(a.lease_owner, '/', 1) || '/' || a.username::text
               or w.last_heartbeat > registre.instant(p_now) - interval '2 minutes' and a.lease_owner is null
             then coalesce(w.status::text, 'offline') else 'offline' end,
        a.username::text, w.current_job_id, w.last_heartbeat, w.started_at, q.step
    from public.worker_status w
    left join public.worker_accounts a on a.id::text = w.account_id::text
    left join public.extraction_queue q on q.id = w.current_job_id and q.status = 'En traitement'
    order by w.worker_id::text
$$;

-- When an order that waits now behind all others may be done; null when nothing lets it be told.
create function registre.expected_end(p_now timestamptz default null) returns timestamptz
language sql stable as $$
    select registre.done_at((select coalesce(sum(c.jobs), 0)::bigint from registre.job_counts c where c.status in ('En attente', 'En traitement')),
        registre.instant(p_now))
$$;

-- When the registry's site last answered an order with something other than a failure of its own: of the last thousand attempts.
create function registre.last_answer() returns timestamptz
language sql stable as $$
    select max(t.ended_at) from (select a.ended_at, a.ending, a.error_kind from registre.attempts a order by a.id desc limit 1000) t
    where t.ending in ('secured', 'completed') or t.ending = 'failed' and t.error_kind not in ('browser_failed', 'attempts_exhausted')
$$;
