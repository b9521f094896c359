-- What lease_next finds at the head of the queue: what may start, what is owned already, and what must wait for another order.

-- The next p_limit jobs in the queue's order, locked; without those that p_closed holds back. With nothing held back it is one
-- walk along the claim index; else the head of each open lane, so that a closed backlog of any length costs nothing.
create function registre.heads(p_limit integer, p_closed jsonb, p_now timestamptz)
returns table (id uuid, identity_key text, place double precision)
-- Never by sorting: where the table's statistics are not of today (a new database, a backlog just put in), the few rows that a
-- status is guessed to have look cheaper sorted than walked, and every lease would read the whole backlog. One plan for every
-- p_limit: a limit of one looks so much better planned for that it was planned anew at each lease, longer than the lease took.
language plpgsql set jit = off set enable_sort = off set plan_cache_mode = force_generic_plan as $$  -- compiling takes longer than running
#variable_conflict use_column
declare
    v_id uuid;
    v_taken uuid[] := '{}';
    v_spare integer;
    v_passed_over boolean;
begin
    if p_closed is null or not p_closed ?| '{client,source,batch}' then
        return query
        select q.id, q.identity_key, q.position from public.extraction_queue q
        where q.status = 'En attente' and q.is_due and (q.deadline is null or q.deadline > p_now)
          and (q.batch_id is null or registre.is_approved(q.batch_id))
        order by q.priority desc, q.position, q.id
        limit p_limit for update skip locked;
        return;
    end if;
    -- Spare ones only when some were locked, by another host's call or by a person: with a thousand lanes they are dear.
    foreach v_spare in array '{0,30}'::integer[] loop
        v_passed_over := false;
        for v_id in
            with recursive lanes as (
                (select q.lane, q.client, q.document_source::text as source, q.batch_id from public.extraction_queue q
                 where q.status = 'En attente' and q.is_due order by q.lane limit 1)
                union all
                select n.* from lanes l cross join lateral (
                    select q.lane, q.client, q.document_source::text, q.batch_id from public.extraction_queue q
                    where q.status = 'En attente' and q.is_due and q.lane > l.lane order by q.lane limit 1) n
            )
            select h.id from lanes l
            cross join lateral (
                -- Between, not equal: where one closed client has most of the rows, equality with any lane is taken to be so frequent
                -- that walking the claim index past all of them looks cheap. In this order only the lanes' own index has them.
                select q.id, q.priority, q.position from public.extraction_queue q
                where q.status = 'En attente' and q.is_due and q.lane between l.lane and l.lane
                  and (q.deadline is null or q.deadline > p_now)
                order by q.lane, q.priority desc, q.position, q.id limit p_limit + v_spare) h
            where not registre.holds_back(p_closed, l.client, l.source, l.batch_id) and h.id <> all (v_taken)
            order by h.priority desc, h.position, h.id limit p_limit + v_spare
        loop
            select q.id, q.identity_key, q.position into id, identity_key, place from public.extraction_queue q
            where q.id = v_id and q.status = 'En attente' and q.is_due
              and not registre.holds_back(p_closed, q.client, q.document_source::text, q.batch_id)
              and (q.batch_id is null or registre.is_approved(q.batch_id))
            for update skip locked;
            if found then
                return next;
                v_taken := v_taken || v_id;
                if cardinality(v_taken) = p_limit then return; end if;
            else
                v_passed_over := true;
            end if;
        end loop;
        exit when not v_passed_over;
    end loop;
end $$;

-- Asked with the row, too: a batch put in after the gates were looked at is not bought unapproved.
create function registre.is_approved(p_batch uuid) returns boolean
language plpgsql stable as $$
begin
    return not exists (select from registre.batches b where b.id = p_batch and b.needs_approval and b.approved_at is null);
end $$;

create function registre.holds_back(p_closed jsonb, p_client text, p_source text, p_batch uuid) returns boolean
language sql immutable as $$
    select coalesce(p_closed->'client' ? p_client, false) or coalesce(p_closed->'source' ? p_source, false)
        or coalesce(p_closed->'batch' ? p_batch::text, false)
$$;

-- En attente | En traitement → Complété: with a document that was bought before. False when none serves.
create function registre.serve_owned(p_job public.extraction_queue, p_now timestamptz) returns boolean
language plpgsql as $$
declare
    v_owned uuid;
begin
    if p_job.fresh then return false; end if;
    v_owned := registre.owned(p_job.identity_key, p_job.document_source::text, p_now);
    if v_owned is null then return false; end if;
    perform registre.reuse(p_job.id, v_owned, p_now);
    return true;
end $$;

-- The job whose order of the same document is under way, or may have been bought already; null when none is.
create function registre.same_document(p_job public.extraction_queue, p_now timestamptz) returns uuid
language plpgsql stable as $$
declare
    v_other uuid;
begin
    select q.id into v_other from public.extraction_queue q
    where q.identity_key = p_job.identity_key and q.status = 'En traitement' and q.id <> p_job.id limit 1;
    return coalesce(v_other, registre.live_purchase(p_job.identity_key, p_job.id));
end $$;

-- The job whose purchase of this document is under way, safe but not delivered, or undecided. Of the same job only a former one
-- that was found again, and is on its way.
create function registre.live_purchase(p_identity text, p_job uuid) returns uuid
language plpgsql stable as $$
begin
    return (select p.job_id from registre.purchases p
            where p.identity_key = p_identity
              and (p.state = 'secured'
                   or p.job_id <> p_job and (p.state in ('intended', 'charged') or p.state = 'ambiguous' and p.settled_at is null))
            limit 1);
end $$;

-- Stays in the queue, but not at its head: another order for the same document comes first. With it go all that wait for that
-- document: a thousand repeats at the head would else be looked at one by one. Told once.
create function registre.put_off(p_job public.extraction_queue, p_other uuid, p_now timestamptz) returns void
language plpgsql as $$
declare
    v_reason text := registre.same_document_reason(p_other, p_job.id);
begin
    with late as (
        select q.id, q.wait_reason from public.extraction_queue q
        where q.identity_key = p_job.identity_key and q.status = 'En attente' and q.is_due and (q.id = p_job.id or q.id <> p_other)
        order by q.id limit 1000 for update skip locked
    ), moved as (
        update public.extraction_queue q
        set is_due = false, next_attempt_at = p_now + interval '30 seconds', wait_reason = v_reason, updated_at = p_now
        from late l where q.id = l.id returning q.id, l.wait_reason
    )
    insert into registre.events (at, kind, job_id, data)
    select p_now, 'job.put_off', m.id, jsonb_build_object('status', 'En attente', 'message', v_reason)
    from moved m where m.wait_reason is distinct from v_reason;
    if found then perform registre.ring(); end if;
end $$;

create function registre.same_document_reason(p_other uuid, p_job uuid) returns text
language plpgsql stable as $$
begin
    if p_other = p_job then return 'the document of this order is bought, and on its way to the bucket'; end if;
    return case (select q.error_kind from public.extraction_queue q where q.id = p_other)
        when 'ambiguous_purchase' then 'the same document may already be bought, by order ' || p_other || '; a person decides there'
        when 'secured_elsewhere' then 'the same document is bought, by order ' || p_other || ', and is on a host that does not answer'
        else 'another order is buying the same document: ' || p_other end;
end $$;
