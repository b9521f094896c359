-- How a lease ends. Every function matches id and token; no match means lease_lost and nothing written. None of them may run
-- while a purchase of the job is open: money is settled first.

create function registre.end_attempt(p_job uuid, p_token bigint, p_ending text, p_kind text, p_message text, p_now timestamptz)
returns void
language plpgsql set enable_seqscan = off as $$  -- a plan made while the table is new reads all of it, and is kept
begin
    update registre.attempts set ended_at = p_now, ending = p_ending, error_kind = p_kind, message = p_message
    where job_id = p_job and token = p_token and ended_at is null;
end $$;

-- Where the evidence of an attempt is, on its host; changes nothing else, so it needs no lease.
create function registre.note_evidence(p_job uuid, p_token bigint, p_evidence text) returns void
language plpgsql as $$
begin
    update registre.attempts set evidence = p_evidence where job_id = p_job and token = p_token;
end $$;

-- Locks the job under this token; or lease_lost; or open_purchase.
create function registre.hold_job(p_job uuid, p_token bigint) returns void
language plpgsql as $$
declare
    v_purchase uuid;
begin
    select purchase_id into v_purchase from public.extraction_queue
    where id = p_job and lease_token = p_token and status = 'En traitement' for update;
    if not found then perform registre.refuse('lease_lost', 'The lease of this job is lost.'); end if;
    if v_purchase is not null
       and exists (select from registre.purchases p where p.id = v_purchase and p.state in ('intended', 'charged', 'secured')) then
        perform registre.refuse('open_purchase', 'This job has an open purchase; it is settled first.');
    end if;
end $$;

-- The same, and the job.
create function registre.held_job(p_job uuid, p_token bigint) returns public.extraction_queue
language plpgsql as $$
declare
    v_job public.extraction_queue;
begin
    perform registre.hold_job(p_job, p_token);
    select * into v_job from public.extraction_queue where id = p_job;
    return v_job;
end $$;

-- En traitement → Complété | Erreur. Private: its callers have checked.
create function registre.close_job(p_job uuid, p_token bigint, p_status text, p_kind text, p_message text, p_ending text,
                                   p_now timestamptz, p_path text default null, p_needs_review boolean default false,
                                   p_author text default null) returns void
language plpgsql as $$
declare
    v_attempts integer;
    v_started timestamptz;
    v_status public.extraction_queue.status%type := p_status;  -- an adopted table may have an enumeration here
begin
    update public.extraction_queue
    set status = v_status, error_kind = p_kind, error_message = p_message,
        supabase_path = coalesce(p_path, supabase_path), needs_review = p_needs_review, wait_reason = null,
        lease_owner = null, lease_until = null, attempt_until = null, step = null, finished_at = p_now, updated_at = p_now
    where id = p_job returning coalesce(attemtps, 0), processing_started_at into v_attempts, v_started;
    perform registre.end_attempt(p_job, p_token, p_ending, p_kind, p_message, p_now);
    -- seconds: how long the order was worked on the last time; what was owned already took no work.
    perform registre.emit(case p_status when 'Erreur' then 'job.failed' else 'job.completed' end, p_job,
        jsonb_build_object('status', p_status, 'attempts', v_attempts, 'error_kind', p_kind, 'message', p_message)
            || case when p_path is null then '{}' else jsonb_build_object('path', p_path) end
            || case when p_author is null then '{}' else jsonb_build_object('author', p_author) end
            || case when p_ending = 'reused' then '{"reused": true}' when v_started is null then '{}'
                    else jsonb_build_object('seconds', round(extract(epoch from p_now - v_started), 3)) end, p_now);
end $$;

-- En attente | En traitement → Complété with what was bought before. Private: its callers hold the job.
create function registre.reuse(p_job uuid, p_purchase uuid, p_now timestamptz) returns void
language plpgsql as $$
declare
    v_path text;
    v_job public.extraction_queue;
begin
    select p.bucket || '/' || p.object_key into v_path from registre.purchases p where p.id = p_purchase;
    update public.extraction_queue q set notes = q.notes || jsonb_build_array(registre.owned_note(p_purchase)), cancel_requested_at = null
    where q.id = p_job returning * into v_job;
    perform registre.close_job(p_job, v_job.lease_token, 'Complété', null, null, 'reused', p_now, v_path);
    perform registre.emit('job.reused', p_job, jsonb_build_object('purchase', p_purchase, 'path', v_path), p_now);
end $$;

-- En traitement → En attente. Private. p_consumed false: the attempt is given back. A job a person asked to cancel does not
-- wait again: it ends here.
create function registre.wait_again(p_job uuid, p_token bigint, p_delay_seconds double precision, p_consumed boolean, p_ending text,
                                    p_kind text, p_message text, p_now timestamptz) returns void
language plpgsql as $$
declare
    v_attempts integer;
begin
    update public.extraction_queue
    set status = 'En attente', attemtps = greatest(0, coalesce(attemtps, 0) - case when p_consumed then 0 else 1 end),
        lease_owner = null, lease_until = null, attempt_until = null, account_id = null, worker_id = null, step = null,
        is_due = p_delay_seconds <= 0, wait_reason = p_message,
        next_attempt_at = case when p_delay_seconds > 0 then p_now + make_interval(secs => p_delay_seconds) end,
        processing_started_at = null, finished_at = null, error_kind = null, error_message = null, updated_at = p_now
    where id = p_job and cancel_requested_at is null returning attemtps into v_attempts;
    if not found then
        perform registre.close_job(p_job, p_token, 'Erreur', 'cancelled', 'Cancelled before anything was bought.', p_ending, p_now);
        return;
    end if;
    perform registre.end_attempt(p_job, p_token, p_ending, p_kind, p_message, p_now);
    perform registre.emit('job.' || p_ending, p_job, jsonb_strip_nulls(jsonb_build_object('status', 'En attente',
        'attempts', v_attempts, 'message', p_message, 'delay_seconds', p_delay_seconds)) || '{"error_kind": null}', p_now);
    if p_delay_seconds <= 0 then perform pg_notify('registre_jobs', ''); end if;
end $$;

-- Given back untouched: drain, cancel of a session, an account that fell away. Consumes no attempt.
create function registre.release_job(p_job uuid, p_token bigint, p_message text default null, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    perform registre.hold_job(p_job, p_token);
    perform registre.wait_again(p_job, p_token, 0, false, 'released', null, p_message, registre.instant(p_now));
end $$;

-- Put off: the site is away, the browser broke, the form has changed. Consumes no attempt; but a job whose page breaks every
-- browser is not put off for ever: p_rescued counts, and the eleventh time it ends. What the failure says of the site holds for
-- every host at once.
create function registre.snooze_job(p_job uuid, p_token bigint, p_delay_seconds double precision, p_message text,
                                    p_rescued boolean default false, p_kind text default null, p_now timestamptz default null)
returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_job public.extraction_queue := registre.held_job(p_job, p_token);
begin
    if p_kind = 'site_unavailable' then
        perform registre.site_away(p_message, v_now);
    elsif p_kind = 'layout_changed' and not exists (  -- what this attempt met is settled if a person accepted the form meanwhile
            select from registre.forms f where f.source = v_job.document_source::text and f.accepted_by is not null
            and f.accepted_at >= v_job.processing_started_at) then
        perform registre.freeze_source(v_job.document_source::text, p_message, v_now);
    end if;
    if p_rescued and v_job.rescues >= 10 then
        perform registre.close_job(p_job, p_token, 'Erreur', 'attempts_exhausted', p_message, 'failed', v_now);
        return;
    end if;
    if p_rescued then update public.extraction_queue set rescues = rescues + 1 where id = p_job; end if;
    perform registre.wait_again(p_job, p_token, p_delay_seconds, false, 'snoozed', p_kind, p_message, v_now);
end $$;

-- Failed, may succeed later: waits again, or ends when the attempts are used up. Consumes the attempt.
create function registre.retry_job(p_job uuid, p_token bigint, p_kind text, p_message text, p_delay_seconds double precision,
                                   p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_job public.extraction_queue := registre.held_job(p_job, p_token);
begin
    if v_job.attemtps >= coalesce(v_job.max_attempts, 3) then
        perform registre.close_job(p_job, p_token, 'Erreur', 'attempts_exhausted', p_message, 'failed', registre.instant(p_now));
    else
        perform registre.wait_again(p_job, p_token, p_delay_seconds, true, 'retried', p_kind, p_message, registre.instant(p_now));
    end if;
end $$;

-- Failed for good: said to the requester.
create function registre.fail_job(p_job uuid, p_token bigint, p_kind text, p_message text, p_needs_review boolean default false,
                                  p_now timestamptz default null) returns void
language plpgsql as $$
begin
    perform registre.hold_job(p_job, p_token);
    -- What was refused before the site was asked says nothing of the site.
    if p_kind not in ('cancelled', 'invalid_order') then perform registre.site_answered(registre.instant(p_now)); end if;
    perform registre.close_job(p_job, p_token, 'Erreur', p_kind, p_message, 'failed', registre.instant(p_now), null, p_needs_review);
end $$;

-- The ack: secured → delivered and its job → Complété, in one transaction; fenced by the purchase, not by a lease, since only
-- the job's present purchase may complete it. Says what it did; a repeat changes nothing.
create function registre.deliver(p_purchase uuid, p_sha256 text, p_bucket text, p_object_key text, p_now timestamptz default null)
returns text
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_purchase registre.purchases := registre.lock_purchase(p_purchase);
    v_token bigint;
    v_other uuid;
begin
    if v_purchase.state not in ('secured', 'delivered') or v_purchase.sha256 <> p_sha256 then
        perform registre.refuse('other_document', 'This purchase is not secured with this file.');
    end if;
    if v_purchase.state = 'delivered' then return 'repeated'; end if;
    update registre.purchases set state = 'delivered', delivered_at = v_now, bucket = p_bucket, object_key = p_object_key,
        reason = null
    where id = p_purchase;
    perform registre.emit('purchase.delivered', v_purchase.job_id,
        jsonb_build_object('purchase', p_purchase, 'object', p_bucket || '/' || p_object_key), v_now);
    -- 'En attente' too: another program may have put the row back in the queue while its document was on its way.
    update public.extraction_queue set cancel_requested_at = null
    where id = v_purchase.job_id and purchase_id = p_purchase
      and (status in ('En traitement', 'En attente') or (status = 'Erreur' and error_kind in ('secured_elsewhere', 'ambiguous_purchase')))
    returning lease_token into v_token;
    if v_token is not null then
        perform registre.close_job(v_purchase.job_id, v_token, 'Complété', null, null, 'completed', v_now, p_bucket || '/' || p_object_key);
    end if;
    -- Orders that waited for this document need none of their own, unless it lay so long on its host that it is no longer current.
    -- Locked ones find it when they are leased.
    if registre.owned(v_purchase.identity_key, v_purchase.source, v_now) is not null then
        for v_other in
            select q.id from public.extraction_queue q
            where q.identity_key = v_purchase.identity_key and q.status = 'En attente' and not q.fresh and q.purchase_id is null
            order by q.id for update skip locked
        loop
            perform registre.reuse(v_other, registre.owned(v_purchase.identity_key, v_purchase.source, v_now), v_now);
        end loop;
    end if;
    return case when v_token is null then 'kept' else 'completed' end;
end $$;
