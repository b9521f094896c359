-- What a person may do to a job.

-- Erreur → En attente with fresh attempts. Never while a document of it may have been bought without our having it.
create function registre.requeue_job(p_job uuid, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_job public.extraction_queue;
begin
    select * into v_job from public.extraction_queue where id = p_job for update;
    if not found then perform registre.refuse('not_found', 'No job has this id.'); end if;
    if v_job.status <> 'Erreur' then
        perform registre.refuse('not_failed', 'Only a job in ''Erreur'' can be retried; this one is in ''' || v_job.status || '''.');
    end if;
    -- By the ledger too: another program may have written over the reason.
    if v_job.error_kind in ('ambiguous_purchase', 'secured_elsewhere')
       or exists (select from registre.purchases p
                  where p.id = v_job.purchase_id and p.state in ('intended', 'charged', 'secured', 'ambiguous')) then
        perform registre.refuse('open_purchase', 'The document of this job may already be bought; it is not retried blindly.');
    end if;
    perform registre.start_anew(p_job, 'job.requeued', jsonb_build_object('author', p_author), v_now);
end $$;

-- Erreur → En attente. Private.
create function registre.start_anew(p_job uuid, p_kind text, p_more jsonb, p_now timestamptz) returns void
language plpgsql as $$
begin
    update public.extraction_queue
    set status = 'En attente', attemtps = 0, rescues = 0, error_kind = null, error_message = null, needs_review = false, is_due = true,
        next_attempt_at = null, wait_reason = null, finished_at = null, cancel_requested_at = null, deadline = null, updated_at = p_now
    where id = p_job;
    perform registre.emit(p_kind, p_job, jsonb_build_object('status', 'En attente', 'attempts', 0, 'error_kind', null) || p_more, p_now);
    perform pg_notify('registre_jobs', '');
end $$;

-- What a person decides about a document that may be bought without our having it: buy it again, or give it up. p_billed false:
-- the registry's invoice does not show it, so its fee is given back. Also for a document on a host that will not return.
create function registre.settle(p_job uuid, p_decision text, p_author text, p_billed boolean default true, p_now timestamptz default null)
returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_job public.extraction_queue;
    v_purchase registre.purchases;
    v_more jsonb;
begin
    select * into v_job from public.extraction_queue where id = p_job for update;
    if not found then perform registre.refuse('not_found', 'No job has this id.'); end if;
    select * into v_purchase from registre.purchases where id = v_job.purchase_id for update;
    -- By the ledger too: another program may have written over the reason, or even over the status.
    if v_job.status in ('En attente', 'En traitement')
       or not (v_purchase.state is not distinct from 'ambiguous' and v_purchase.settled_at is null
               or v_job.status = 'Erreur' and coalesce(v_job.error_kind, '') in ('ambiguous_purchase', 'secured_elsewhere')) then
        perform registre.refuse('nothing_to_settle', 'This job has no purchase to decide about.');
    end if;
    if v_purchase.state = 'secured' and v_job.error_kind is distinct from 'secured_elsewhere' then
        perform registre.refuse('open_purchase', 'The document of this job has been found, and is on its way to the bucket.');
    end if;
    if p_decision = 'rebuy' and v_job.status <> 'Erreur' then
        perform registre.refuse('not_failed', 'This job has already ended; nothing is bought for it any more.');
    end if;
    if v_purchase.id is not null then
        update registre.purchases
        set state = case when p_billed then 'ambiguous' else 'void' end, settled_at = v_now, settlement = p_decision, settled_by = p_author,
            ambiguous_at = coalesce(ambiguous_at, v_now), voided_at = case when p_billed then null else v_now end
        where id = v_purchase.id;
        if not p_billed then
            perform registre.unreserve(v_purchase);
            if v_purchase.charged_at is not null then v_job.cost_cents := v_job.cost_cents - v_purchase.fee_cents; end if;
            perform registre.emit('purchase.void', p_job, jsonb_build_object('purchase', v_purchase.id, 'reason', 'not billed, by ' || p_author,
                'cost_cents', v_job.cost_cents), v_now);
        end if;
    end if;
    update public.extraction_queue set purchase_id = null, cost_cents = v_job.cost_cents where id = p_job;
    v_more := jsonb_build_object('decision', p_decision, 'author', p_author, 'billed', p_billed);
    if p_decision = 'rebuy' then
        perform registre.start_anew(p_job, 'job.settled', v_more, v_now);
    elsif v_job.status = 'Erreur' then
        update public.extraction_queue set error_kind = 'abandoned', error_message = 'Given up by ' || p_author || '. ' || coalesce(v_job.error_message, ''),
            updated_at = v_now
        where id = p_job;
        perform registre.emit('job.settled', p_job, jsonb_build_object('error_kind', 'abandoned') || v_more, v_now);
    else
        perform registre.emit('job.settled', p_job, v_more, v_now);
    end if;
end $$;

-- En attente → Erreur/cancelled at once; a running job is asked to stop, and does unless its document is being bought.
create function registre.cancel_job(p_job uuid, p_author text, p_now timestamptz default null) returns text
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_job public.extraction_queue;
begin
    select * into v_job from public.extraction_queue where id = p_job for update;
    if not found then perform registre.refuse('not_found', 'No job has this id.'); end if;
    if v_job.status in ('Complété', 'Erreur') then
        perform registre.refuse('already_ended', 'This job has already ended in ''' || v_job.status || '''.');
    end if;
    if exists (select from registre.purchases p where p.id = v_job.purchase_id and p.state in ('intended', 'charged', 'secured')) then
        perform registre.refuse('open_purchase', 'The document of this job is being bought; it can no longer be cancelled.');
    end if;
    if v_job.status = 'En attente' then
        perform registre.close_job(p_job, v_job.lease_token, 'Erreur', 'cancelled', 'Cancelled by ' || p_author || '.', 'cancelled', v_now,
            p_author => p_author);
        return 'cancelled';
    end if;
    update public.extraction_queue set cancel_requested_at = v_now, updated_at = v_now where id = p_job;
    perform registre.emit('job.cancel_requested', p_job, jsonb_build_object('author', p_author), v_now);
    return 'requested';
end $$;
