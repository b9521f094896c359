-- Facts. A reader follows by cursor; NOTIFY only says that there is something to read.

-- At most ten times a second: commits that notify wait for each other, and readers look by themselves each second.
create function registre.ring() returns void
language plpgsql as $$
declare
    v_now bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
begin
    -- A bell that rang more than a second from now was set by a clock since put back.
    if v_now - (select b.last_value from registre.bell b) not between -1000 and 99 then
        perform setval('registre.bell', v_now);
        perform pg_notify('registre_events', '');
    end if;
end $$;

-- p_data of a fact about a job holds whatever it changed of status, attempts, error_kind, path and cost_cents: the row is the
-- fold of its facts.
create function registre.emit(p_kind text, p_job uuid, p_data jsonb, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into registre.events (at, kind, job_id, data) values (p_now, p_kind, p_job, coalesce(p_data, '{}'));
    perform registre.ring();
end $$;

-- A reader goes from one instant to the next: all that was committed between two of them, in the order of its writing. Not in the
-- order of the transactions: of two that change one row, the one that began first may write last. Only what is before every
-- transaction still under way, so that none is skipped. A cursor is the transactions of such a stretch and the last fact read of it.
create function registre.events_after(p_cursor text, p_limit integer)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language plpgsql stable as $$
#variable_conflict use_column
declare
    v_cursor text := coalesce(nullif(p_cursor, ''), '0-0-0');
    v_low xid8 := split_part(v_cursor, '-', 1)::xid8;
    v_high xid8 := split_part(v_cursor, '-', 2)::xid8;
    v_id bigint := split_part(v_cursor, '-', 3)::bigint;
    v_now xid8 := pg_snapshot_xmin(pg_current_snapshot());
    v_found integer;
begin
    return query
    select concat_ws('-', v_low, v_high, e.id), e.at, e.kind, e.job_id, e.data from registre.events e
    where e.xid >= v_low and e.xid < v_high and e.id > v_id order by e.id limit p_limit;
    get diagnostics v_found = row_count;
    if v_found >= p_limit or v_now <= v_high then return; end if;
    -- offset 0: the stretch first, by its own index, then its order; else a plan may read every fact there ever was.
    return query
    select concat_ws('-', v_high, v_now, e.id), e.at, e.kind, e.job_id, e.data
    from (select * from registre.events f where f.xid >= v_high and f.xid < v_now offset 0) e order by e.id limit p_limit - v_found;
end $$;

-- The last of those, newest first: a stretch from the beginning to now.
create function registre.last_events(p_limit integer)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select concat_ws('-', '0', pg_snapshot_xmin(pg_current_snapshot()), e.id), e.at, e.kind, e.job_id, e.data
    from registre.events e
    where e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.id desc
    limit p_limit
$$;

create function registre.job_events(p_job uuid)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select concat_ws('-', '0', (e.xid::text::numeric + 1)::text, e.id), e.at, e.kind, e.job_id, e.data
    from registre.events e where e.job_id = p_job order by e.id
$$;

-- What people did, newest first: the facts that name an author; p_before leads to the next page.
create function registre.deeds(p_before bigint default null, p_limit integer default 100)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select concat_ws('-', '0', (e.xid::text::numeric + 1)::text, e.id), e.at, e.kind, e.job_id, e.data
    from registre.events e where e.data ? 'author' and (p_before is null or e.id < p_before) order by e.id desc limit p_limit
$$;
