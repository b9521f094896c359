-- Sessions of the registry's site: how long one may idle, and whether it is worth keeping.

-- The limit to act on; p_assumed_seconds is what the site's profile says. A death that taught a shorter one counts for a week: it
-- may have had another cause, and no session is left idle for long enough to show that.
create function registre.current_idle_limit(p_assumed_seconds double precision, p_now timestamptz default null)
returns double precision
language sql stable as $$
    select coalesce((select i.seconds from registre.idle_limit i
                     where i.seconds >= p_assumed_seconds or i.learnt_at > registre.instant(p_now) - interval '7 days'),
                    p_assumed_seconds)
$$;

-- A session was found alive, or expired, by its first page after so many idle seconds. Never below two minutes: a site that ends
-- sessions sooner would rather be down. A death within an idle time that others have lived through is believed when another
-- follows it ten minutes later or more: a restart of the site ends all sessions at once. Returns the limit to act on.
create function registre.note_idle(p_seconds double precision, p_survived boolean, p_assumed_seconds double precision,
                                   p_now timestamptz default null) returns double precision
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_limit double precision;
    v_new double precision;
    v_row registre.idle_limit;
begin
    insert into registre.idle_limit (one) values (true) on conflict do nothing;
    select * into v_row from registre.idle_limit for update;
    v_limit := registre.current_idle_limit(p_assumed_seconds, v_now);
    if p_survived then
        v_new := greatest(v_limit, p_seconds);
        update registre.idle_limit i
        set survived_seconds = greatest(i.survived_seconds, p_seconds),
            doubted_seconds = case when i.doubted_seconds > p_seconds then i.doubted_seconds end,
            doubted_at = case when i.doubted_seconds > p_seconds then i.doubted_at end;
    else
        v_new := least(v_limit, greatest(120, p_seconds));
        if v_new < v_limit and p_seconds <= v_row.survived_seconds
           and coalesce(v_row.doubted_at > v_now - interval '10 minutes', true) then
            update registre.idle_limit set doubted_seconds = p_seconds, doubted_at = coalesce(v_row.doubted_at, v_now);
            return v_limit;
        end if;
    end if;
    if v_new = v_limit then return v_limit; end if;
    update registre.idle_limit i
    set seconds = v_new, learnt_at = v_now,
        survived_seconds = case when p_survived then i.survived_seconds else least(i.survived_seconds, p_seconds) end,
        doubted_seconds = null, doubted_at = null;
    perform registre.emit('idle_limit.learnt', null,
        jsonb_build_object('seconds', v_new, 'before', v_limit, 'idle_seconds', p_seconds, 'survived', p_survived), v_now);
    return v_new;
end $$;

create function registre.learnt_idle_limit()
returns table (seconds double precision, learnt_at timestamptz, survived_seconds double precision)
language sql stable as $$ select i.seconds, i.learnt_at, i.survived_seconds from registre.idle_limit i $$;

-- Whether an order waits that this account may start within so many seconds. What is closed for longer counts as closed.
create function registre.work_due(p_username text, p_within_seconds double precision, p_now timestamptz default null)
returns boolean
language plpgsql stable set jit = off as $$  -- compiling it would take longer than running it
declare
    v_now timestamptz := registre.instant(p_now);
    v_soon timestamptz := v_now + make_interval(secs => p_within_seconds);
    v_closed jsonb;
begin
    if not exists (select from public.extraction_queue q where q.status = 'En attente' and q.is_due)
       and not exists (select from public.extraction_queue q
                       where q.status = 'En attente' and not q.is_due and q.next_attempt_at <= v_soon) then
        return false;
    end if;
    if registre.any_gate() then
        select jsonb_object_agg(c.scope, c.names) into v_closed
        from (select c.scope, jsonb_agg(c.name) as names from registre.closures(v_now) c
              where c.until is null or c.until > v_soon group by c.scope) c;
    end if;
    if v_closed is null then return true; end if;
    if v_closed ? 'site' or coalesce(v_closed->'account' ? p_username, false) then return false; end if;
    return exists (
        with recursive lanes as (
            (select q.lane, q.client, q.document_source::text as source, q.batch_id from public.extraction_queue q
             where q.status = 'En attente' and q.is_due order by q.lane limit 1)
            union all
            select n.* from lanes l cross join lateral (
                select q.lane, q.client, q.document_source::text, q.batch_id from public.extraction_queue q
                where q.status = 'En attente' and q.is_due and q.lane > l.lane order by q.lane limit 1) n
        )
        select from lanes l where not registre.holds_back(v_closed, l.client, l.source, l.batch_id)
    ) or exists (
        -- The next of those put off; that all of so many are held back, and a later one is not, is worth one sign-in.
        select from (select * from public.extraction_queue q
                     where q.status = 'En attente' and not q.is_due and q.next_attempt_at <= v_soon
                     order by q.next_attempt_at limit 500) q
        where not registre.holds_back(v_closed, q.client, q.document_source::text, q.batch_id)
    );
end $$;
