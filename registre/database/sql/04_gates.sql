-- Gates: what keeps jobs from starting. lease_next and why ask the same function, so that they cannot disagree.

-- Something may be closed: the cheap question before the exact one. (plpgsql keeps its plan, a function in SQL is planned at
-- each call.)
create function registre.any_gate() returns boolean
language plpgsql stable as $$
begin
    return exists (select from registre.pauses) or exists (select from registre.budgets) or exists (select from registre.service_hours)
        or exists (select from registre.frozen) or exists (select from registre.breaker b where b.open_until is not null)
        or exists (select from registre.batches b where b.needs_approval and b.approved_at is null);
end $$;

-- 'mm:ss' of today, or the day too: how people say an instant.
create function registre.spoken(p_at timestamptz, p_now timestamptz) returns text
language sql stable as $$
    select to_char(p_at at time zone 'America/Toronto',
        case when registre.today(p_at) = registre.today(p_now) then 'HH24:MI' else 'YYYY-MM-DD HH24:MI' end)
$$;

-- '1,50 $'
create function registre.dollars(p_cents bigint) returns text
language sql immutable as $$ select (p_cents / 100)::text || ',' || lpad((p_cents % 100)::text, 2, '0') || U&'\00a0$' $$;

-- Every closed gate, in the order in which they are asked. Scope account closes seats, the others jobs. until null: a person
-- must act.
create function registre.closures(p_now timestamptz default null)
returns table (gate text, scope text, name text, reason text, until timestamptz)
language plpgsql stable as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_today date := registre.today(v_now);
    v_fee integer;
    v_closed_until timestamptz := registre.closed_until(v_now);
    v_breaker registre.breaker;
    v_used record;  -- the kinds of gate that are used at all, mostly one or two: each lease asks
    v_batches uuid[];
begin
    if v_closed_until is not null then
        return query select 'hours', 'site', '',
            case when v_closed_until = 'infinity' then 'the registry has no opening in the next 30 days'
                 else 'the registry is closed, or closes too soon, until ' || registre.spoken(v_closed_until, v_now) end,
            nullif(v_closed_until, 'infinity');
    end if;
    select * into v_breaker from registre.breaker b;
    if v_breaker.open_until > v_now then
        return query select 'breaker', 'site', '', 'the registry''s site is failing (' || rtrim(v_breaker.reason, '.') || '); next try at '
            || registre.spoken(v_breaker.open_until, v_now), v_breaker.open_until;
    elsif v_breaker.open_until is not null and v_breaker.probe_until > v_now then
        return query select 'breaker', 'site', '', 'the registry''s site was failing; one order is trying it now', v_breaker.probe_until;
    end if;
    select exists (select from registre.frozen) as frozen, exists (select from registre.pauses) as pauses,
        exists (select from registre.budgets) as budgets, exists (select from registre.budgets b where b.scope = 'batch') as of_batches,
        exists (select from registre.batches b where b.needs_approval and b.approved_at is null) as unapproved
    into v_used;
    if v_used.unapproved or v_used.of_batches then v_batches := registre.waiting_batches(); end if;
    if v_used.frozen then
        return query select 'frozen', 'source', f.source, 'the form of ' || f.source || ' is not as expected ('
            || rtrim(f.reason, '.') || '); a person must look', null::timestamptz from registre.frozen f order by f.source;
    end if;
    if v_used.pauses then
        return query select 'pause', p.scope, p.name,
            case p.scope when 'site' then 'everything' else p.scope || ' ' || coalesce(nullif(p.name, ''), '(no name)') end || ' is paused by ' || p.author || ': ' || p.reason,
            null::timestamptz
        from registre.pauses p order by array_position('{site,account,client,source}'::text[], p.scope), p.name;
    end if;
    if v_used.unapproved then
        return query select 'approval', 'batch', b.id::text,
            'batch ' || b.name || ' costs about ' || registre.dollars(b.price_cents) || ' and waits for approval', null::timestamptz
        from registre.batches b
        where b.needs_approval and b.approved_at is null and b.id = any (v_batches) order by b.created_at, b.id;
    end if;
    if v_used.budgets then
        v_fee := registre.smallest_fee(v_today);
        return query
        select 'budget', s.scope, s.name,
            case s.scope when 'site' then 'the budget' else 'the budget of ' || s.scope || ' ' || coalesce(b.name, nullif(s.name, ''), '(no name)') end
                || case s.period when 'day' then ' of the day' when 'month' then ' of the month' else '' end
                || ' is used up (' || registre.dollars(s.used_cents) || ' of ' || registre.dollars(s.cap_cents) || ')',
            case s.period when 'day' then (v_today + 1)::timestamp at time zone 'America/Toronto'
                          when 'month' then (date_trunc('month', v_today::timestamp) + interval '1 month') at time zone 'America/Toronto' end
        from registre.budgets_used(v_today, v_fee) s left join registre.batches b on s.scope = 'batch' and b.id::text = s.name
        where s.used_cents + v_fee > s.cap_cents and (s.scope <> 'batch' or s.name = any (v_batches::text[]))
        order by array_position('{site,account,client,batch}'::text[], s.scope), s.name, s.period;
    end if;
end $$;

create function registre.period_start(p_period text, p_day date) returns date
language sql immutable as $$
    select case p_period when 'day' then p_day when 'month' then date_trunc('month', p_day::timestamp)::date else date '1970-01-01' end
$$;

-- The batches that have jobs to start. The gate of one that is over, or was cancelled, holds nothing back and is not told.
create function registre.waiting_batches() returns uuid[]
language sql stable set jit = off as $$  -- compiling it would take longer than running it
    with recursive waiting as (
        (select q.batch_id from public.extraction_queue q
         where q.status = 'En attente' and q.batch_id is not null order by q.batch_id limit 1)
        union all
        select n.batch_id from waiting w cross join lateral (
            select q.batch_id from public.extraction_queue q
            where q.status = 'En attente' and q.batch_id > w.batch_id order by q.batch_id limit 1) n
    )
    select coalesce(array_agg(w.batch_id), '{}') from waiting w
$$;

-- Caps and their use in the period that holds p_day, one row for each that spends under one; '*' is each without a cap of its own.
-- Those who have spent nothing yet are there only under a '*' that has no room for p_fee at all: else a thousand clients would be.
create function registre.budgets_used(p_day date, p_fee integer)
returns table (scope text, name text, period text, cap_cents bigint, used_cents bigint, budget_name text)
language sql stable as $$
    select b.scope, b.name, b.period, b.cap_cents, coalesce(s.used_cents, 0), b.name
    from registre.budgets b
    left join registre.spending s on s.scope = b.scope and s.name = b.name and s.period = b.period
        and s.starts_on = registre.period_start(b.period, p_day)
    where b.name <> '*'
    union all
    select s.scope, s.name, s.period, b.cap_cents, s.used_cents, b.name
    from registre.budgets b
    join registre.spending s on s.scope = b.scope and s.period = b.period and s.starts_on = registre.period_start(b.period, p_day)
    where b.name = '*'
      and not exists (select from registre.budgets o where o.scope = s.scope and o.period = s.period and o.name = s.name)
    union all
    select b.scope, n.name, b.period, b.cap_cents, 0, b.name
    from registre.budgets b
    cross join lateral (select c.name from registre.clients c where b.scope = 'client'
                        union all select a.username::text from public.worker_accounts a where b.scope = 'account') n
    where b.name = '*' and b.cap_cents < p_fee
      and not exists (select from registre.budgets o where o.scope = b.scope and o.period = b.period and o.name = n.name)
      and not exists (select from registre.spending s where s.scope = b.scope and s.name = n.name and s.period = b.period
                      and s.starts_on = registre.period_start(b.period, p_day))
$$;

-- The site failed. Enough failures in a row, or a failed probe, close it for everybody, longer each time.
create function registre.site_away(p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_breaker registre.breaker;
begin
    insert into registre.breaker as b (failures, last_failure_at, reason) values (1, v_now, p_reason)
    on conflict (one) do update set
        failures = case when b.open_until is null and b.last_failure_at < v_now - interval '5 minutes' then 1 else b.failures + 1 end,
        last_failure_at = v_now, reason = p_reason
    returning * into v_breaker;
    if v_breaker.open_until > v_now then return; end if;  -- already open: orders that had begun fail one after the other
    if v_breaker.open_until is null and v_breaker.failures < (select r.breaker_failures from registre.rules r) then return; end if;
    update registre.breaker set trips = trips + 1, probe_until = null,
        open_until = v_now + make_interval(secs => least(900, 60 * 2 ^ least(v_breaker.trips, 10)))
    returning * into v_breaker;
    perform registre.emit('site.away', null, jsonb_build_object('reason', p_reason, 'until', v_breaker.open_until), v_now);
end $$;

-- The site works.
create function registre.site_answered(p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_was timestamptz;
begin
    if not exists (select from registre.breaker) then return; end if;
    delete from registre.breaker returning open_until into v_was;
    if v_was is not null then
        perform registre.emit('site.back', null, '{}', registre.instant(p_now));
        perform pg_notify('registre_jobs', '');
    end if;
end $$;

-- A form is not what the profile says: its source stops on every host before it burns the queue.
create function registre.freeze_source(p_source text, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    insert into registre.frozen (source, reason, at) values (p_source, p_reason, registre.instant(p_now)) on conflict do nothing;
    if found then
        perform registre.emit('source.frozen', null, jsonb_build_object('source', p_source, 'reason', p_reason), registre.instant(p_now));
    end if;
end $$;

create function registre.pause(p_scope text, p_name text, p_author text, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    if p_scope is null or p_scope not in ('site', 'account', 'client', 'source') or (p_scope = 'site') <> (p_name = '') and p_scope <> 'client' then
        perform registre.refuse('bad_value', 'What is paused is the site (without a name), or an account, a client or a source by its name.');
    end if;
    if p_scope = 'account' and not exists (select from public.worker_accounts a where a.username = p_name) then
        perform registre.refuse('not_found', 'No account has the name ' || p_name || '.');
    end if;
    insert into registre.pauses (scope, name, author, reason, at) values (p_scope, p_name, p_author, p_reason, registre.instant(p_now))
    on conflict (scope, name) do update set author = p_author, reason = p_reason, at = excluded.at;
    perform registre.emit('gate.paused', null,
        jsonb_build_object('scope', p_scope, 'name', p_name, 'author', p_author, 'reason', p_reason), registre.instant(p_now));
end $$;

-- Opens what a person, a changed form or the breaker had closed. False when nothing was.
create function registre.resume(p_scope text, p_name text, p_author text, p_now timestamptz default null) returns boolean
language plpgsql as $$
declare
    v_opened boolean;
begin
    delete from registre.pauses where scope = p_scope and name = p_name;
    v_opened := found;
    if p_scope = 'source' then
        delete from registre.frozen where source = p_name;
        v_opened := v_opened or found;
    elsif p_scope = 'site' then
        delete from registre.breaker where open_until is not null;
        v_opened := v_opened or found;
    end if;
    if v_opened then
        perform registre.emit('gate.resumed', null, jsonb_build_object('scope', p_scope, 'name', p_name, 'author', p_author),
            registre.instant(p_now));
        perform pg_notify('registre_jobs', '');
    end if;
    return v_opened;
end $$;

create function registre.list_pauses() returns table (scope text, name text, author text, reason text, at timestamptz)
language sql stable as $$ select p.scope, p.name, p.author, p.reason, p.at from registre.pauses p order by p.at, p.scope, p.name $$;

-- Rules, hours and holidays -----------------------------------------------------------------------------------------------------

create function registre.list_rules() returns setof registre.rules
language sql stable as $$ select * from registre.rules $$;

create function registre.set_rule(p_name text, p_value double precision, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    if p_name = 'one' or not exists (select from information_schema.columns c
            where c.table_schema = 'registre' and c.table_name = 'rules' and c.column_name = p_name) then
        perform registre.refuse('not_found', 'There is no rule ' || p_name || '.');
    end if;
    begin
        execute format('update registre.rules set %1$I = (jsonb_populate_record(null::registre.rules, jsonb_build_object(%1$L, $1))).%1$I',
            p_name) using p_value;
    exception when check_violation or not_null_violation or invalid_text_representation or numeric_value_out_of_range then
        perform registre.refuse('bad_value', 'The rule ' || p_name || ' cannot be ' || coalesce(p_value::text, 'empty') || '.');
    end;
    perform registre.emit('rule.changed', null, jsonb_build_object('rule', p_name, 'value', p_value, 'author', p_author),
        registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;

-- '00:00' closes at midnight, the day's end: in the table 24:00, an hour that few languages have.
create function registre.list_hours() returns table (weekday smallint, opens time, closes time)
language sql stable as $$
    select h.weekday, h.opens, case h.closes when '24:00' then '00:00'::time else h.closes end from registre.service_hours h order by 1, 2
$$;

-- p_hours: [{weekday, opens, closes}, …] replaces all of them.
create function registre.set_hours(p_hours jsonb, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    delete from registre.service_hours;
    begin
        insert into registre.service_hours (weekday, opens, closes)
        select h.weekday, h.opens, case h.closes when '00:00' then '24:00'::time else h.closes end
        from jsonb_to_recordset(p_hours) as h(weekday smallint, opens time, closes time);
    exception when check_violation or unique_violation or not_null_violation or numeric_value_out_of_range then
        perform registre.refuse('bad_value', 'Hours need a weekday from 1 to 7, once each, and must close after they open.');
    end;
    perform registre.emit('hours.changed', null, jsonb_build_object('hours', p_hours, 'author', p_author), registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;

create function registre.list_holidays() returns table (day date, name text)
language sql stable as $$ select h.day, h.name from registre.holidays h order by 1 $$;

-- p_name null removes it.
create function registre.set_holiday(p_day date, p_name text, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    if p_name is null then
        delete from registre.holidays where day = p_day;
    else
        insert into registre.holidays (day, name) values (p_day, p_name) on conflict (day) do update set name = p_name;
    end if;
    perform registre.emit('hours.changed', null, jsonb_build_object('holiday', p_day, 'name', p_name, 'author', p_author),
        registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;
