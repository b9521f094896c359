-- What is measured of late attempts, and what hosts say of their machines. Reads only, but for note_host.

-- By what and whom: how many, and two percentiles in seconds. 'wait' is from an order's insertion to its first lease, of the last
-- thousand attempts; 'step' is how long each step took, of the last five thousand facts; 'oldest' is how long the oldest order of a
-- source waits, 'running' how long the oldest attempt lasts.
create function registre.measured(p_now timestamptz default null)
returns table (what text, name text, number bigint, p50 double precision, p95 double precision)
language sql stable set jit = off as $$
    with late as (
        select e.id, e.at, e.kind, e.job_id, e.data ->> 'step' as step from registre.events e order by e.id desc limit 5000
    ), followed as (
        select l.kind, l.step, extract(epoch from lead(l.at) over (partition by l.job_id order by l.id) - l.at)::double precision as seconds
        from late l where l.job_id is not null
    ), waited as (
        select extract(epoch from a.started_at - q.created_at)::double precision as seconds
        from (select t.job_id, t.number, t.started_at from registre.attempts t order by t.id desc limit 1000) a
        join public.extraction_queue q on q.id = a.job_id
        where a.number = 1 and a.started_at >= q.created_at
    )
    select 'wait', '', count(*), percentile_cont(0.5) within group (order by w.seconds), percentile_cont(0.95) within group (order by w.seconds)
    from waited w having count(*) > 0
    union all
    select 'step', f.step, count(*), percentile_cont(0.5) within group (order by f.seconds), percentile_cont(0.95) within group (order by f.seconds)
    from followed f where f.kind = 'job.step' and f.seconds is not null group by f.step
    union all
    select 'oldest', o.source, 1, extract(epoch from registre.instant(p_now) - o.since)::double precision, null from registre.oldest_of_sources() o
    union all
    select 'running', '', 1, extract(epoch from registre.instant(p_now) - min(q.processing_started_at))::double precision, null
    from public.extraction_queue q where q.status = 'En traitement' and q.lease_until is not null having count(*) > 0
    order by 1, 2
$$;

-- A worker tells of its machine: {memory_bytes, sessions, free_bytes}.
create function registre.note_host(p_owner text, p_facts jsonb) returns void
language sql as $$
    update registre.hosts set facts = p_facts where host = split_part(p_owner, '/', 1) and boot = split_part(p_owner, '/', 2)
$$;
