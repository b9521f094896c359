-- The stories of orders that ended longer ago than the rule `history_days`: their events, attempts and log. The orders and the ledger
-- stay, and so does what belongs to no order and is younger. Whole stories, from the oldest events on, a bounded number at a time;
-- returns how many orders'. Called by the host that does the upkeep.
create function registre.forget_history(p_now timestamptz default null) returns integer
language plpgsql as $$
declare
    v_until timestamptz := registre.instant(p_now) - (select r.history_days from registre.rules r) * interval '1 day';
    v_oldest bigint;
    v_jobs uuid[];
begin
    if v_until is null then return 0; end if;
    -- The first events there are, and of them the old ones: nothing is looked through when all are young.
    select max(e.id), array_agg(distinct e.job_id) filter (where q.id is not null) into v_oldest, v_jobs
    from (select f.id, f.at, f.job_id from registre.events f order by f.id limit 5000) e
    left join public.extraction_queue q on q.id = e.job_id and q.finished_at < v_until and q.status in ('Complété', 'Erreur')
    where e.at < v_until;
    delete from registre.events e where e.id <= v_oldest and e.job_id is null and e.at < v_until;
    delete from registre.events e using unnest(v_jobs) as j(id) where e.job_id = j.id;
    delete from registre.attempts a using unnest(v_jobs) as j(id) where a.job_id = j.id;
    delete from registre.job_log l using unnest(v_jobs) as j(id) where l.job_id = j.id;
    return coalesce(cardinality(v_jobs), 0);
end $$;
