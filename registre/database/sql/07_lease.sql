-- The lease: taken by lease_next, kept by renew, taken back by reclaim. The database's clock decides.

-- En attente → En traitement. p_seats: [{account, token, worker}], one job at most for each, and only what every gate lets
-- through; the attempt is counted here, so that a crash loop ends.
create function registre.lease_next(p_owner text, p_seats jsonb, p_visibility_seconds double precision,
                                    p_now timestamptz default null)
returns table (id uuid, token bigint, until timestamptz, account_id text, attempt integer, max_attempts integer, source text,
               number text, circonscription text, cadastre text, designation text, acte_type text)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_look record;
    v_accounts text[]; v_workers text[]; v_usernames text[];
    v_seat integer := 1;
    v_wanted integer;
    v_taken integer;
    v_half_open boolean := false;
    v_closed jsonb;
    v_head record;
    v_job public.extraction_queue;
    v_other uuid;
    v_served double precision;
begin
    -- Only seats whose account lease is really this owner's, and whose pace allows another order. Two calls for the same seats come
    -- one after the other, and what is asked next sees what the first has leased.
    select array_agg(s.account order by s.n), array_agg(s.worker order by s.n), array_agg(s.username order by s.n)
    into v_accounts, v_workers, v_usernames
    from (select s.n, s.item->>'account' as account, s.item->>'worker' as worker, a.username::text as username
          from jsonb_array_elements(p_seats) with ordinality as s(item, n)
          join public.worker_accounts a on a.id::text = s.item->>'account'
          where a.id::text = any (array(select e.item->>'account' from jsonb_array_elements(p_seats) e(item)))  -- by the index
            and a.lease_owner = p_owner and a.lease_token = (s.item->>'token')::bigint and a.lease_until > v_now
            and (a.ready_at is null or a.ready_at <= v_now)
            -- A person may have set it aside while it is still held.
            and (a.set_aside_reason is null or a.set_aside_until <= v_now)
          order by a.id for update of a) s;
    select r.attempt_seconds, r.pace_seconds, registre.any_gate() as gated,
        exists (select from public.extraction_queue d
                where d.status = 'En attente' and not d.is_due and d.next_attempt_at <= v_now) as late,
        (select array_agg(b.account_id) from public.extraction_queue b
         where b.status = 'En traitement' and b.lease_until > v_now and b.account_id = any (v_accounts)) as busy
    into v_look from registre.rules r;
    if v_look.late then
        update public.extraction_queue q set is_due = true
        where q.id in (select d.id from public.extraction_queue d
                       where d.status = 'En attente' and not d.is_due and d.next_attempt_at <= v_now
                       order by d.next_attempt_at limit 100 for update skip locked);
    end if;
    if v_look.gated then
        -- {client: [names], source: [names], batch: [ids], account: [usernames], site: ['']}
        select jsonb_object_agg(c.scope, c.names) into v_closed
        from (select c.scope, jsonb_agg(c.name) as names from registre.closures(v_now) c group by c.scope) c;
        if v_closed ? 'site' then return; end if;
        -- One probe over all hosts: who comes second waits here, and sees that the first has sent one.
        perform 1 from registre.breaker b where b.open_until is not null for update;
        v_half_open := found;
        if v_half_open and exists (select from registre.closures(v_now) c where c.gate = 'breaker') then return; end if;
    end if;
    if v_look.busy is not null or v_closed ? 'account' then
        select array_agg(s.account order by s.n), array_agg(s.worker order by s.n) into v_accounts, v_workers
        from unnest(v_accounts, v_workers, v_usernames) with ordinality as s(account, worker, username, n)
        where s.account <> all (coalesce(v_look.busy, '{}')) and not coalesce(v_closed->'account' ? s.username, false);
    end if;
    v_wanted := case when v_half_open then least(1, cardinality(v_accounts)) else cardinality(v_accounts) end;
    if coalesce(v_wanted, 0) = 0 then return; end if;

    while v_seat <= v_wanted loop
        v_taken := 0;
        for v_head in select * from registre.heads(v_wanted - v_seat + 1, v_closed, v_now) loop
            v_taken := v_taken + 1;
            v_now := registre.instant(p_now);  -- the job is locked: whoever had it before has ended, maybe while this call waited
            -- The cheap question before the exact ones: mostly nobody has ever ordered this document.
            if exists (select from registre.purchases p where p.identity_key = v_head.identity_key)
               or exists (select from public.extraction_queue q
                          where q.identity_key = v_head.identity_key and q.status = 'En traitement') then
                select * into v_job from public.extraction_queue q where q.id = v_head.id;
                if registre.serve_owned(v_job, v_now) then continue; end if;
                v_other := registre.same_document(v_job, v_now);
                if v_other is not null then
                    perform registre.put_off(v_job, v_other, v_now);
                    continue;
                end if;
            end if;
            -- Each column cast: an adopted table may have varchar, smallint or an enumeration where ours has text and integer.
            update public.extraction_queue q
            set status = 'En traitement', lease_owner = p_owner, lease_token = q.lease_token + 1,
                lease_until = v_now + make_interval(secs => p_visibility_seconds),
                attempt_until = v_now + make_interval(secs => v_look.attempt_seconds),
                account_id = v_accounts[v_seat], worker_id = v_workers[v_seat], attemtps = coalesce(q.attemtps, 0) + 1, step = null,
                processing_started_at = v_now, finished_at = null, updated_at = v_now, cancel_requested_at = null, wait_reason = null
            where q.id = v_head.id
            returning q.id, q.lease_token, q.lease_until, q.account_id, q.attemtps::integer, coalesce(q.max_attempts, 3)::integer,
                coalesce(q.document_source::text, ''), coalesce(q.document_number::text, ''), coalesce(q.circonscription_fonciere::text, ''),
                coalesce(q.cadastre::text, ''), coalesce(q.designation_secondaire::text, ''), coalesce(q.acte_type::text, '')
            into id, token, until, account_id, attempt, max_attempts, source, number, circonscription, cadastre, designation, acte_type;
            insert into registre.attempts (job_id, token, number, owner, account_id, started_at)
            values (id, token, attempt, p_owner, account_id, v_now);
            insert into registre.events (at, kind, job_id, data) values (v_now, 'job.leased', id,
                jsonb_build_object('status', 'En traitement', 'worker', v_workers[v_seat], 'attempts', attempt));
            update public.worker_accounts a
            set last_used = v_now, ready_at = v_now + make_interval(secs => v_look.pace_seconds * (0.75 + random() / 2))
            where a.lease_owner = p_owner and a.id::text = v_accounts[v_seat];
            v_served := greatest(v_served, v_head.place);
            v_seat := v_seat + 1;
            return next;
        end loop;
        exit when v_taken = 0;
    end loop;
    if v_half_open and v_seat > 1 then
        update registre.breaker set probe_until = v_now + interval '2 minutes';
    end if;
    if v_served > coalesce(pg_sequence_last_value('registre.served_position'), 1) then
        perform setval('registre.served_position', floor(v_served)::bigint);
    end if;
    if v_seat > 1 then perform registre.ring(); end if;
end $$;

-- One call for the whole host. p_jobs: [{id, token}], p_accounts: [{id, token}]. What does not come back is lost. An attempt past
-- its own deadline is kept for one more visibility timeout, so that it can be stopped in order; then it is lost too.
create function registre.renew(p_owner text, p_jobs jsonb, p_accounts jsonb, p_visibility_seconds double precision,
                               p_now timestamptz default null)
returns table (kind text, id text, token bigint, until timestamptz, cancel_requested boolean, overdue boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_visibility interval := make_interval(secs => p_visibility_seconds);
    -- Joined alone, so many are expected of the lists that reading every account and every order looks cheaper.
    v_jobs uuid[] := array(select r.id from jsonb_to_recordset(p_jobs) as r(id uuid));
    v_accounts text[] := array(select r.id from jsonb_to_recordset(p_accounts) as r(id text));
begin
    update registre.hosts set seen_at = v_now, until = v_now + v_visibility
    where host = split_part(p_owner, '/', 1) and boot = split_part(p_owner, '/', 2);
    perform 1 from public.worker_accounts a where a.id::text = any (v_accounts) order by a.id for update;
    perform 1 from public.extraction_queue q where q.id = any (v_jobs) order by q.id for update;
    -- A lease past its end is not revived: reclaim may already have judged it.
    return query
    update public.extraction_queue q set lease_until = v_now + v_visibility
    from jsonb_to_recordset(p_jobs) as r(id uuid, token bigint)
    where q.id = any (v_jobs) and q.id = r.id and q.lease_token = r.token and q.status = 'En traitement' and q.lease_owner = p_owner
      and q.lease_until > v_now and (q.attempt_until is null or q.attempt_until + v_visibility > v_now)
    returning 'job', q.id::text, q.lease_token, q.lease_until, q.cancel_requested_at is not null,
        coalesce(q.attempt_until <= v_now, false);
    return query
    update public.worker_accounts a set lease_until = v_now + v_visibility
    from jsonb_to_recordset(p_accounts) as r(id text, token bigint)
    where a.id::text = any (v_accounts) and a.id::text = r.id and a.lease_token = r.token and a.lease_owner = p_owner
      and a.lease_until > v_now
      and coalesce(a.is_active, true)
    returning 'account', a.id::text, a.lease_token, a.lease_until, false, false;
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
            outcome := registre.hold_ambiguous(v_job.id, v_job.purchase_id, 'the worker died while the document was being bought', v_now);
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
                    'its worker stopped before anything was bought', v_now);
                outcome := 'reclaimed';
            end if;
        end if;
        id := v_job.id;
        return next;
    end loop;

    -- Also one that was found after all, for a job in doubt, by a host that went away before it could deliver.
    for v_job in
        select q.id, q.lease_token from registre.purchases p
        join public.extraction_queue q on q.id = p.job_id and q.purchase_id = p.id
        left join registre.hosts h on h.host = p.host
        where p.state = 'secured'
          and (q.status = 'En traitement' and q.lease_until is null or q.status = 'Erreur' and q.error_kind = 'ambiguous_purchase')
          and coalesce(h.seen_at, p.secured_at) <= v_now - make_interval(secs => p_host_gone_seconds)
        limit p_limit for update of q skip locked
    loop
        perform registre.close_job(v_job.id, v_job.lease_token, 'Erreur', 'secured_elsewhere',
            'The document is bought and safe in the spool of a host that does not answer; it is delivered when that host returns.',
            'reclaimed', v_now);
        id := v_job.id; outcome := 'secured_elsewhere';
        return next;
    end loop;

    -- A purchase under way whose job another program ended or removed, or a found document that no job waits for, on a host that
    -- went away: no job will settle it, and it would bar its document for ever.
    for v_job in
        select p.id, p.job_id,
            case p.state when 'secured' then 'its host does not answer, and its job has ended otherwise'
                         else 'its job was ended by another program' end as reason
        from registre.purchases p
        left join registre.hosts h on h.host = p.host
        left join public.extraction_queue q on q.id = p.job_id and q.purchase_id = p.id
        where p.state in ('intended', 'charged') and p.intended_at <= v_now - make_interval(secs => p_legacy_seconds)
              and (q.id is null or q.status not in ('En attente', 'En traitement'))
           or p.state = 'secured' and q.id is null
              and coalesce(h.seen_at, p.secured_at) <= v_now - make_interval(secs => p_host_gone_seconds)
        limit p_limit for update of p skip locked
    loop
        -- Settled, too: no job is left on which a person could decide.
        update registre.purchases set state = 'ambiguous', ambiguous_at = v_now, reason = v_job.reason,
            settled_at = v_now, settlement = 'abandon', settled_by = 'reclaim'
        where registre.purchases.id = v_job.id;
        perform registre.emit('purchase.ambiguous', v_job.job_id,
            jsonb_build_object('purchase', v_job.id, 'reason', v_job.reason), v_now);
        id := v_job.job_id; outcome := 'ambiguous_purchase';
        return next;
    end loop;

    -- Orders nobody could start in time.
    for v_job in
        select q.id, q.lease_token, q.deadline from public.extraction_queue q
        where q.status = 'En attente' and q.deadline <= v_now order by q.deadline limit p_limit for update skip locked
    loop
        perform registre.expire_job(v_job.id, v_job.lease_token, v_job.deadline, v_now);
        id := v_job.id; outcome := 'deadline_passed';
        return next;
    end loop;

    -- The differences of the counts, folded together while nobody else does.
    if pg_try_advisory_xact_lock(7305811003) then
        with gone as (delete from registre.job_counts returning status, jobs)
        insert into registre.job_counts (status, jobs) select g.status, sum(g.jobs) from gone g group by 1 having sum(g.jobs) <> 0;
    end if;
end $$;

-- En attente → Erreur/deadline_passed.
create function registre.expire_job(p_job uuid, p_token bigint, p_deadline timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
    perform registre.close_job(p_job, p_token, 'Erreur', 'deadline_passed',
        'The order was not started by its deadline, ' || registre.spoken(p_deadline, p_now) || '.', 'expired', p_now);
end $$;
