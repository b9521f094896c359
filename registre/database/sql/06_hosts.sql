-- Hosts: a worker's boot presents itself, is seen at each renewal, and leaves; one of them does what is done for all.

-- p_id is the spool's own. Its lock proves that earlier boots with this spool are dead, whatever they were called, so their leases
-- end now. Another home's worker under this name is not dead while it renews; once it is silent or stopped the name may be taken,
-- and what its spool holds is kept under a name of its own, so that it is still reported, and delivered when it returns.
create function registre.register_host(p_host text, p_boot text, p_version text, p_now timestamptz default null, p_id text default null,
                                       p_visibility_seconds double precision default 60) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_known registre.hosts;
    v_former text[];
begin
    perform pg_advisory_xact_lock(7305811005);
    select h.* into v_known from registre.hosts h
    where h.until > v_now and h.stopped_at is null and (h.host = p_host and h.id <> p_id or h.host <> p_host and h.id = p_id);
    if v_known.host = p_host then
        perform registre.refuse('name_taken', 'Another worker, with a home of its own, is at work under the name ' || p_host
            || ': give this one another REGISTRE_HOST.');
    elsif found then
        perform registre.refuse('name_taken', 'The host ' || v_known.host || ' is at work with a copy of this home: remove the file '
            || 'spool/id from one that is a copy, or wait a minute if it is the same one under its former name.');
    end if;

    select h.* into v_known from registre.hosts h where h.host = p_host;
    if v_known.id <> p_id then
        if exists (select from registre.purchases p where p.host = p_host and p.state in ('intended', 'charged', 'secured')) then
            v_known.host := p_host || '~' || left(v_known.id, 8);
            insert into registre.hosts select v_known.*
            on conflict (host) do update set boot = excluded.boot, version = excluded.version, seen_at = excluded.seen_at;
            update registre.purchases set host = v_known.host where host = p_host and state in ('intended', 'charged', 'secured');
        end if;
    else
        v_former := array[p_host];
    end if;
    v_former := v_former || array(select h.host from registre.hosts h where h.id = p_id and h.host <> p_host);

    update registre.purchases set host = p_host where host = any (v_former) and host <> p_host and state in ('intended', 'charged', 'secured');
    delete from registre.hosts where host = any (v_former) and host <> p_host;
    update public.worker_accounts set lease_until = v_now
    where lease_until > v_now and split_part(lease_owner, '/', 1) = any (v_former) and lease_owner <> p_host || '/' || p_boot;
    update public.extraction_queue set lease_until = v_now
    where status = 'En traitement' and lease_until > v_now and split_part(lease_owner, '/', 1) = any (v_former)
      and lease_owner <> p_host || '/' || p_boot;
    delete from public.worker_status where split_part(worker_id, '/', 1) = any (v_former || p_host) and worker_id like '%/%';
    delete from registre.upkeep where split_part(owner, '/', 1) = any (v_former || p_host);

    insert into registre.hosts (host, boot, version, started_at, seen_at, id, until)
    values (p_host, p_boot, p_version, v_now, v_now, p_id, v_now + make_interval(secs => p_visibility_seconds))
    on conflict (host) do update set boot = excluded.boot, version = excluded.version, started_at = v_now, seen_at = v_now,
        id = excluded.id, until = excluded.until, stopped_at = null;
    perform registre.emit('host.started', null, jsonb_build_object('host', p_host, 'version', p_version), v_now);
    -- Machines come and go; who has left nothing behind is forgotten.
    delete from registre.hosts h where h.seen_at < v_now - interval '30 days'
        and not exists (select from registre.purchases p where p.host = h.host and p.state in ('intended', 'charged', 'secured'));
end $$;

-- A worker that has drained: its name is free at once, and somebody else does the upkeep.
create function registre.leave_host(p_owner text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
begin
    delete from registre.upkeep where owner = p_owner;
    update registre.hosts set stopped_at = v_now, seen_at = v_now
    where host = split_part(p_owner, '/', 1) and boot = split_part(p_owner, '/', 2);
    if found then
        perform registre.emit('host.stopped', null, jsonb_build_object('host', split_part(p_owner, '/', 1)), v_now);
    end if;
end $$;

-- Whether this owner does the upkeep: the first who asks, and again as long as it asks within p_seconds and its host is seen.
create function registre.take_upkeep(p_owner text, p_seconds double precision, p_now timestamptz default null) returns boolean
language sql as $$
    with taken as (
        insert into registre.upkeep as u (owner, until)
        values (p_owner, registre.instant(p_now) + make_interval(secs => p_seconds))
        on conflict (one) do update set owner = excluded.owner, until = excluded.until
        where u.owner = excluded.owner or u.until <= registre.instant(p_now)
           or not exists (select from registre.hosts h where h.host = split_part(u.owner, '/', 1) and h.boot = split_part(u.owner, '/', 2)
                          and h.until > registre.instant(p_now) and h.stopped_at is null)
        returning 1)
    select exists (select from taken)
$$;
