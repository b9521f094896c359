-- What a person may do to a job.

-- Erreur → En attente with fresh attempts. Never while a document of it may have been bought without our having it.
create function registre.requeue_job(p_job uuid, p_now timestamptz default null) returns void
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
    update public.extraction_queue
    set status = 'En attente', attemtps = 0, rescues = 0, error_kind = null, error_message = null, needs_review = false, is_due = true,
        next_attempt_at = null, finished_at = null, cancel_requested_at = null, updated_at = v_now
    where id = p_job;
    perform registre.emit('job.requeued', p_job, jsonb_build_object('status', 'En attente'), v_now);
    perform pg_notify('registre_jobs', '');
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
        perform registre.close_job(p_job, v_job.lease_token, 'Erreur', 'cancelled', 'Cancelled by ' || p_author || '.', 'cancelled', v_now);
        return 'cancelled';
    end if;
    update public.extraction_queue set cancel_requested_at = v_now, updated_at = v_now where id = p_job;
    perform registre.emit('job.cancel_requested', p_job, jsonb_build_object('author', p_author), v_now);
    return 'requested';
end $$;
