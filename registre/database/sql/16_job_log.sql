-- What workers logged about orders: for people, and read by nothing that decides.

-- One call for all lines of a host. p_lines: [{job, at, host, level, line}], of which those about no order are dropped. Of an order
-- its newest 200 lines stay, and of all of them those of the last 30 days; the oldest are let go on the way.
create function registre.keep_log(p_lines jsonb, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    insert into registre.job_log (job_id, at, host, level, line)
    select r.job, r.at, r.host, r.level, left(r.line, 500)
    from rows from (jsonb_to_recordset(p_lines) as (job uuid, at timestamptz, host text, level text, line text))
        with ordinality as r(job, at, host, level, line, n)
    where exists (select from public.extraction_queue q where q.id = r.job) order by r.n;
    delete from registre.job_log l
    using (select distinct r.job from jsonb_to_recordset(p_lines) as r(job uuid)) j
    where l.job_id = j.job
      and l.id <= (select o.id from registre.job_log o where o.job_id = j.job order by o.id desc offset 200 limit 1);
    delete from registre.job_log l
    using (select o.id, o.at from registre.job_log o order by o.id limit 500) old
    where l.id = old.id and old.at < registre.instant(p_now) - interval '30 days';
end $$;

create function registre.log_of(p_job uuid)
returns table (job_id uuid, at timestamptz, host text, level text, line text)
language sql stable as $$
    select l.job_id, l.at, l.host, l.level, l.line from registre.job_log l where l.job_id = p_job order by l.id
$$;
