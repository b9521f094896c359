-- The lease: taken by lease_next, kept by renew, taken back by reclaim. The database's clock decides.

-- A worker's boot presents itself. The host's spool lock proves that its earlier boots are dead, so their leases end now.
create function registre.register_host(p_host text, p_boot text, p_version text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
begin
    insert into registre.hosts (host, boot, version, started_at, seen_at) values (p_host, p_boot, p_version, v_now, v_now)
    on conflict (host) do update set boot = p_boot, version = p_version, started_at = v_now, seen_at = v_now;
    update public.worker_accounts set lease_until = v_now
    where lease_until > v_now and starts_with(lease_owner, p_host || '/') and lease_owner <> p_host || '/' || p_boot;
    update public.extraction_queue set lease_until = v_now
    where status = 'En traitement' and lease_until > v_now and starts_with(lease_owner, p_host || '/') and lease_owner <> p_host || '/' || p_boot;
    delete from public.worker_status where starts_with(worker_id, p_host || '/');
    perform registre.emit('host.started', null, jsonb_build_object('host', p_host, 'version', p_version), v_now);
end $$;

-- En attente → En traitement. p_seats: [{account, token, worker}], one job at most for each; the attempt is counted here,
-- so that a crash loop ends.
create function registre.lease_next(p_owner text, p_seats jsonb, p_visibility_seconds double precision,
                                    p_now timestamptz default null)
returns table (id uuid, token bigint, until timestamptz, account_id text, attempt integer, max_attempts integer, source text,
               number text, circonscription text, cadastre text, designation text, acte_type text)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_until timestamptz := v_now + make_interval(secs => p_visibility_seconds);
    v_served double precision;
begin
    -- Two calls for the same seats come one after the other, and the second sees what the first has leased.
    perform 1 from public.worker_accounts a
    where a.id::text in (select s.item->>'account' from jsonb_array_elements(p_seats) as s(item)) order by a.id for update;
    update public.extraction_queue set is_due = true
    where id in (select d.id from public.extraction_queue d
                 where d.status = 'En attente' and not d.is_due and d.next_attempt_at <= v_now
                 order by d.next_attempt_at limit 100 for update skip locked);
    return query
    with seats as (
        -- Only seats whose account lease is really this owner's, and not already working on a job.
        select s.item->>'account' as account_id, s.item->>'worker' as worker, row_number() over (order by s.n) as n
        from jsonb_array_elements(p_seats) with ordinality as s(item, n)
        join public.worker_accounts a on a.id::text = s.item->>'account'
        where a.lease_owner = p_owner and a.lease_token = (s.item->>'token')::bigint and a.lease_until > v_now
          and not exists (select from public.extraction_queue b where b.status = 'En traitement'
                          and b.account_id = s.item->>'account' and b.lease_until > v_now)
    ), heads as (
        select q.id, q.position from public.extraction_queue q
        where q.status = 'En attente' and q.is_due
        order by q.priority desc, q.position, q.id
        limit (select count(*) from seats) for update skip locked
    ), ranked as (
        select h.id, row_number() over () as n from heads h
    ), leased as (
        update public.extraction_queue q
        set status = 'En traitement', lease_owner = p_owner, lease_token = q.lease_token + 1, lease_until = v_until,
            account_id = s.account_id, worker_id = s.worker, attemtps = coalesce(q.attemtps, 0) + 1, step = null,
            processing_started_at = v_now, finished_at = null, updated_at = v_now, cancel_requested_at = null
        from ranked r join seats s on s.n = r.n
        where q.id = r.id
        returning q.*
    ), used as (
        update public.worker_accounts a set last_used = v_now from leased l where a.id::text = l.account_id
    ), history as (
        insert into registre.attempts (job_id, token, number, owner, account_id, started_at)
        select l.id, l.lease_token, l.attemtps, p_owner, l.account_id, v_now from leased l
    ), told as (
        insert into registre.events (at, kind, job_id, data)
        select v_now, 'job.leased', l.id,
               jsonb_build_object('status', l.status, 'worker', l.worker_id, 'attempt', l.attemtps) from leased l
    )
    -- Each column cast: an adopted table may have varchar, smallint or an enumeration where ours has text and integer.
    select l.id, l.lease_token, l.lease_until, l.account_id, l.attemtps::integer, coalesce(l.max_attempts, 3)::integer,
           coalesce(l.document_source::text, ''), coalesce(l.document_number::text, ''), coalesce(l.circonscription_fonciere::text, ''),
           coalesce(l.cadastre::text, ''), coalesce(l.designation_secondaire::text, ''), coalesce(l.acte_type::text, '')
    from leased l;
    if found then
        perform pg_notify('registre_events', '');
        select max(q.position) into v_served from public.extraction_queue q
        where q.status = 'En traitement' and q.lease_owner = p_owner and q.processing_started_at = v_now;
        if v_served > (select last_value from registre.served_position) then
            perform setval('registre.served_position', floor(v_served)::bigint);
        end if;
    end if;
end $$;

-- One call for the whole host. p_jobs: [{id, token}], p_accounts: [{id, token}]. What does not come back is lost.
create function registre.renew(p_owner text, p_jobs jsonb, p_accounts jsonb, p_visibility_seconds double precision,
                               p_now timestamptz default null)
returns table (kind text, id text, token bigint, until timestamptz, cancel_requested boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_until timestamptz := v_now + make_interval(secs => p_visibility_seconds);
begin
    update registre.hosts set seen_at = v_now where host || '/' || boot = p_owner;
    perform 1 from public.worker_accounts a
    where a.id::text in (select r.id from jsonb_to_recordset(p_accounts) as r(id text)) order by a.id for update;
    perform 1 from public.extraction_queue q
    where q.id in (select r.id from jsonb_to_recordset(p_jobs) as r(id uuid)) order by q.id for update;
    -- A lease past its end is not revived: reclaim may already have judged it.
    return query
    update public.extraction_queue q set lease_until = v_until
    from jsonb_to_recordset(p_jobs) as r(id uuid, token bigint)
    where q.id = r.id and q.lease_token = r.token and q.status = 'En traitement' and q.lease_owner = p_owner
      and q.lease_until > v_now
    returning 'job', q.id::text, q.lease_token, q.lease_until, q.cancel_requested_at is not null;
    return query
    update public.worker_accounts a set lease_until = v_until
    from jsonb_to_recordset(p_accounts) as r(id text, token bigint)
    where a.id::text = r.id and a.lease_token = r.token and a.lease_owner = p_owner and a.lease_until > v_now
      and coalesce(a.is_active, true)
    returning 'account', a.id::text, a.lease_token, a.lease_until, false;
end $$;

-- Shown to people; false when the lease is lost.
create function registre.note_step(p_job uuid, p_token bigint, p_step text, p_now timestamptz default null) returns boolean
language plpgsql as $$
begin
    update public.extraction_queue set step = p_step, updated_at = registre.instant(p_now)
    where id = p_job and lease_token = p_token and status = 'En traitement';
    if not found then return false; end if;
    perform registre.emit('job.step', p_job, jsonb_build_object('step', p_step), registre.instant(p_now));
    return true;
end $$;

-- En traitement → En attente | Erreur, for leases that ran out: the ledger is read before anything else. A job whose document
-- is secured has no lease to lose; it is given up only when its host has not been seen for p_host_gone_seconds.
create function registre.reclaim(p_backoff_seconds double precision, p_host_gone_seconds double precision,
                                 p_legacy_seconds double precision, p_limit integer, p_now timestamptz default null)
returns table (id uuid, outcome text)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_job record;
    v_purchase_state text;
begin
    -- A row left in progress by a program that knows no leases gets one, once; then it is judged like any other.
    update public.extraction_queue q
    set lease_owner = 'legacy', lease_token = q.lease_token + 1, lease_until = v_now + make_interval(secs => p_legacy_seconds)
    where q.id in (select r.id from public.extraction_queue r
                   where r.status = 'En traitement' and r.lease_until is null and r.lease_owner is null for update skip locked);

    for v_job in
        select q.id, q.lease_token, q.lease_owner, coalesce(q.attemtps, 0) as attempts, coalesce(q.max_attempts, 3) as max_attempts,
               q.purchase_id
        from public.extraction_queue q
        where q.status = 'En traitement' and q.lease_until <= v_now
        order by q.lease_until limit p_limit for update skip locked
    loop
        -- Read now that the job is locked: joined above, it could be older than the job and hide an intent just written.
        select p.state into v_purchase_state from registre.purchases p where p.id = v_job.purchase_id for update;
        if v_purchase_state in ('intended', 'charged') then
            perform registre.hold_ambiguous(v_job.id, v_job.purchase_id, 'the worker died while the document was being bought', v_now);
            outcome := 'ambiguous_purchase';
        elsif v_purchase_state = 'secured' then
            update public.extraction_queue q set lease_until = null where q.id = v_job.id;
            outcome := 'secured';
        elsif v_job.lease_owner = 'legacy' then
            perform registre.close_job(v_job.id, v_job.lease_token, 'Erreur', 'ambiguous_purchase',
                'Left in progress by another program; whether the document was bought is not known.', 'reclaimed', v_now);
            outcome := 'ambiguous_purchase';
        else
            update public.extraction_queue q set rescues = q.rescues + 1 where q.id = v_job.id;
            if v_job.attempts >= v_job.max_attempts then
                perform registre.close_job(v_job.id, v_job.lease_token, 'Erreur', 'attempts_exhausted',
                    'The worker stopped in each of the ' || v_job.attempts || ' attempts.', 'reclaimed', v_now);
                outcome := 'attempts_exhausted';
            else
                perform registre.wait_again(v_job.id, v_job.lease_token, p_backoff_seconds, true, 'reclaimed', null,
                    'the worker stopped before anything was bought', v_now);
                outcome := 'reclaimed';
            end if;
        end if;
        id := v_job.id;
        return next;
    end loop;

    for v_job in
        select q.id, q.lease_token from public.extraction_queue q
        join registre.purchases p on p.id = q.purchase_id and p.state = 'secured'
        left join registre.hosts h on h.host = p.host
        where q.status = 'En traitement' and q.lease_until is null
          and coalesce(h.seen_at, p.secured_at) <= v_now - make_interval(secs => p_host_gone_seconds)
        limit p_limit for update of q skip locked
    loop
        perform registre.close_job(v_job.id, v_job.lease_token, 'Erreur', 'secured_elsewhere',
            'The document is bought and safe in the spool of a host that does not answer; it is delivered when that host returns.',
            'reclaimed', v_now);
        id := v_job.id; outcome := 'secured_elsewhere';
        return next;
    end loop;

    -- A purchase under way whose job another program ended or removed: no job will settle it, and it bars its document for ever.
    for v_job in
        select p.id, p.job_id from registre.purchases p
        where p.state in ('intended', 'charged') and p.intended_at <= v_now - make_interval(secs => p_legacy_seconds)
          and not exists (select from public.extraction_queue q
                          where q.purchase_id = p.id and q.status in ('En attente', 'En traitement'))
        limit p_limit for update of p skip locked
    loop
        update registre.purchases set state = 'ambiguous', ambiguous_at = v_now, reason = 'its job was ended by another program'
        where registre.purchases.id = v_job.id;
        perform registre.emit('purchase.ambiguous', v_job.job_id,
            jsonb_build_object('purchase', v_job.id, 'reason', 'its job was ended by another program'), v_now);
        id := v_job.job_id; outcome := 'ambiguous_purchase';
        return next;
    end loop;
end $$;
