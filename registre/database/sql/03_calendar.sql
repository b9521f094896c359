-- The registry's own calendar: its day, its hours, its fees. Local time is that of America/Toronto.

create function registre.today(p_now timestamptz) returns date
language sql stable as $$ select (p_now at time zone 'America/Toronto')::date $$;

-- When the service is open, from p_from on, for so many days. Openings that touch, as at midnight, are one.
create function registre.open_windows(p_from timestamptz, p_days integer) returns table (starts timestamptz, ends timestamptz)
language sql stable as $$
    select lower(w), upper(w)
    from unnest((
        select range_agg(tstzrange(t.starts, t.ends))
        from generate_series(0, p_days) as n
        cross join lateral (select registre.today(p_from) + n as day) d
        join registre.service_hours h on h.weekday = extract(isodow from d.day)
        cross join lateral (select (d.day + h.opens) at time zone 'America/Toronto' as starts,
                                   (d.day + h.closes) at time zone 'America/Toronto' as ends) t
        -- An opening inside the hour that the clock leaps over in March has no length.
        where t.starts < t.ends and not exists (select from registre.holidays o where o.day = d.day)
    )) as w
    where upper(w) > p_from order by 1
$$;

-- Null while work may start; else when it may again ('infinity': no opening is known).
create function registre.closed_until(p_now timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    v_today date := registre.today(p_now);
    v_margin interval;
    v_known boolean;
    v_open boolean;
    v_days integer;
    v_window record;
begin
    -- Mostly no hours are known, or one of today's openings is long enough: asked for first, since each lease asks.
    select make_interval(secs => r.last_start_seconds), exists (select from registre.service_hours),
        exists (select from registre.service_hours h
                where h.weekday = extract(isodow from v_today) and (v_today + h.opens) at time zone 'America/Toronto' <= p_now
                  and (v_today + h.closes) at time zone 'America/Toronto' - make_interval(secs => r.last_start_seconds) > p_now
                  and not exists (select from registre.holidays o where o.day = v_today))
    into v_margin, v_known, v_open from registre.rules r;
    if not v_known or v_open then return null; end if;
    foreach v_days in array '{1,30}'::integer[] loop  -- mostly it is open now, or tomorrow
        for v_window in select * from registre.open_windows(p_now, v_days) loop
            if v_window.ends - v_margin > greatest(v_window.starts, p_now) then
                return case when v_window.starts > p_now then v_window.starts end;
            end if;
        end loop;
    end loop;
    return 'infinity';
end $$;

-- When so many seconds of open service will have passed; null when not within half a year.
create function registre.after_open_seconds(p_now timestamptz, p_seconds double precision) returns timestamptz
language plpgsql stable as $$
declare
    v_left interval := make_interval(secs => p_seconds);
    v_window record;
begin
    if not exists (select from registre.service_hours) then return p_now + v_left; end if;
    for v_window in select greatest(w.starts, p_now) as starts, w.ends from registre.open_windows(p_now, 183) w loop
        if v_window.ends - v_window.starts >= v_left then return v_window.starts + v_left; end if;
        v_left := v_left - (v_window.ends - v_window.starts);
    end loop;
    return null;
end $$;

-- The fee of one document on that day; a source without a fee of its own has that of '*'.
create function registre.fee(p_source text, p_day date) returns integer
language plpgsql stable as $$  -- which keeps its plan; in SQL it would be planned at each lease
begin
    return coalesce(
        (select f.cents from registre.fees f where f.source = p_source and f.valid_from <= p_day order by f.valid_from desc limit 1),
        (select f.cents from registre.fees f where f.source = '*' and f.valid_from <= p_day order by f.valid_from desc limit 1),
        150);
end $$;

create function registre.smallest_fee(p_day date) returns integer
language plpgsql stable as $$
begin
    return least(registre.fee('acte', p_day), registre.fee('index', p_day), registre.fee('plan_cadastraux', p_day));
end $$;

-- The document that serves an order without being bought again: an acte never changes, an index or a plan is current for a while.
create function registre.owned(p_identity text, p_source text, p_now timestamptz) returns uuid
language plpgsql stable as $$
declare
    v_purchase uuid;
    v_intended_at timestamptz;
begin
    select p.id, p.intended_at into v_purchase, v_intended_at from registre.purchases p
    where p.identity_key = p_identity and p.state = 'delivered' order by p.intended_at desc limit 1;
    if v_purchase is null or p_source = 'acte' then return v_purchase; end if;
    return (select v_purchase from registre.rules r where v_intended_at > p_now - make_interval(
        hours => case p_source when 'index' then r.fresh_index_hours else r.fresh_plan_hours end));
end $$;
