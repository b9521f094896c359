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

-- How orders ended lately: p_buckets stretches of p_step_seconds, the last one under way; then one row for all of them, whose at is
-- null. Completed are those that took work, not those whose document was owned. Durations are theirs, from the start of the last
-- attempt to the document in its bucket.
create function registre.pulse(p_step_seconds double precision, p_buckets integer, p_now timestamptz default null)
returns table (at timestamptz, completed bigint, failed bigint, p50_seconds double precision, p95_seconds double precision)
language sql stable as $$
    with stretch as (
        select make_interval(secs => p_step_seconds) as step, date_bin(make_interval(secs => p_step_seconds), registre.instant(p_now),
            'epoch'::timestamptz) - (p_buckets - 1) * make_interval(secs => p_step_seconds) as since
    ), ended as (
        select date_bin(s.step, e.at, s.since) as at, e.kind, (e.data ->> 'seconds')::double precision as seconds
        from stretch s join registre.events e
            on e.kind in ('job.completed', 'job.failed') and e.at >= s.since and e.at <= registre.instant(p_now)
            and not e.data ? 'reused'
    ), told as (
        select e.at, count(*) filter (where e.kind = 'job.completed') as completed, count(*) filter (where e.kind = 'job.failed') as failed,
            percentile_cont(0.5) within group (order by e.seconds) filter (where e.kind = 'job.completed') as p50,
            percentile_cont(0.95) within group (order by e.seconds) filter (where e.kind = 'job.completed') as p95
        from ended e group by grouping sets ((e.at), ())
    )
    select b.at, coalesce(t.completed, 0), coalesce(t.failed, 0), t.p50, t.p95
    from (select s.since + n * s.step as at from stretch s, generate_series(0, p_buckets - 1) n union all select null) b
    left join told t on t.at is not distinct from b.at
    order by b.at nulls last
$$;

-- Of each kind of error there is: how many orders ended so, counted up to p_limit, and the newest of them.
create function registre.causes(p_limit integer default 10001)
returns table (kind text, jobs bigint, source text, message text, at timestamptz)
language plpgsql stable set jit = off as $$
declare
    v_kind text;
begin
    loop
        select q.error_kind into v_kind from public.extraction_queue q
        where q.error_kind is not null and (v_kind is null or q.error_kind > v_kind) order by q.error_kind limit 1;
        exit when not found;
        return query
        select v_kind, (select count(*) from (select from public.extraction_queue q
                        where q.error_kind = v_kind and q.status = 'Erreur' limit p_limit) c),
            n.source, n.error_message, coalesce(n.finished_at, n.created_at)
        from registre.page_of_jobs(p_status => 'Erreur', p_kind => v_kind, p_limit => 1) n;
    end loop;
end $$;

-- Of each source the order that has waited longest, by its index.
create function registre.oldest_of_sources() returns table (source text, since timestamptz)
language sql stable set jit = off as $$
    with recursive sources as (
        (select q.document_source as source from public.extraction_queue q where q.status = 'En attente'
         order by q.document_source limit 1)
        union all
        select n.source from sources s cross join lateral (
            select q.document_source as source from public.extraction_queue q
            where q.status = 'En attente' and q.document_source > s.source order by q.document_source limit 1) n
    )
    select s.source::text, o.created_at from sources s cross join lateral (
        select q.created_at from public.extraction_queue q where q.status = 'En attente' and q.document_source = s.source
        order by q.created_at, q.id limit 1) o
$$;

-- When the order that has waited longest was given; null when none waits.
create function registre.oldest_waiting() returns timestamptz
language sql stable as $$ select min(o.since) from registre.oldest_of_sources() o $$;
