-- Facts. A reader follows by cursor; NOTIFY only says that there is something to read.

-- At most ten times a second: commits that notify wait for each other, and readers look by themselves each second.
create function registre.ring() returns void
language plpgsql as $$
declare
    v_now bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
begin
    if (select b.last_value from registre.bell b) <= v_now - 100 then
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

-- In the order in which facts became visible; only those before every transaction still under way, so that none is skipped.
create function registre.events_after(p_cursor text, p_limit integer)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select e.xid::text || '-' || e.id, e.at, e.kind, e.job_id, e.data
    from registre.events e
    where e.xid < pg_snapshot_xmin(pg_current_snapshot())
      and (e.xid, e.id) > (split_part(coalesce(nullif(p_cursor, ''), '0-0'), '-', 1)::xid8,
                           split_part(coalesce(nullif(p_cursor, ''), '0-0'), '-', 2)::bigint)
    order by e.xid, e.id
    limit p_limit
$$;

-- The last of those, newest first.
create function registre.last_events(p_limit integer)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select e.xid::text || '-' || e.id, e.at, e.kind, e.job_id, e.data
    from registre.events e
    where e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.xid desc, e.id desc
    limit p_limit
$$;

create function registre.job_events(p_job uuid)
returns table (cursor text, at timestamptz, kind text, job_id uuid, data jsonb)
language sql stable as $$
    select e.xid::text || '-' || e.id, e.at, e.kind, e.job_id, e.data
    from registre.events e where e.job_id = p_job order by e.id
$$;
