-- The ledger: intended → void | charged → secured, or ambiguous. Each write matches job, token and a live lease;
-- no match means lease_lost. (secured → delivered is deliver's, in 07_finish.sql.)
-- Rows are locked in one order everywhere: accounts, jobs, purchases, each by id; so no two functions wait for each other.

-- Opens a purchase before the first click that can be billed, its fee reserved in every budget that applies. granted: click.
-- owned: the document was bought meanwhile, and the job is completed with it. in_progress: another order buys the same document or
-- may have bought it. over_budget, cancelled: nothing may be bought.
create function registre.intend(p_job uuid, p_token bigint, p_host text, p_now timestamptz default null)
returns table (verdict text, purchase_id uuid, intended_at timestamptz, reason text)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_today date;
    v_job public.extraction_queue;
    v_username text;
    v_other uuid;
    v_fee integer;
    v_refusal text;
    v_purchase registre.purchases;
begin
    select * into v_job from public.extraction_queue q
    where q.id = p_job and q.lease_token = p_token and q.status = 'En traitement' for update;
    v_now := registre.instant(p_now);  -- after the wait for the row, so that a lease that ran out meanwhile is seen to have
    if v_job.lease_until is null or v_job.lease_until <= v_now then
        perform registre.refuse('lease_lost', 'The lease of this job is lost.');
    end if;
    if v_job.cancel_requested_at is not null then
        return query select 'cancelled', null::uuid, null::timestamptz, 'a person asked to stop';
        return;
    end if;
    -- Also ambiguous: a row put back in the queue by a program that knows no ledger must not buy a second time.
    if exists (select from registre.purchases p
               where p.id = v_job.purchase_id and p.state in ('intended', 'charged', 'secured', 'ambiguous')) then
        perform registre.refuse('open_purchase', 'The document of this job may already be bought; it is not bought blindly again.');
    end if;
    -- Under way is asked before owned: one that is delivered between the two questions is then seen by the second.
    v_other := registre.live_purchase(v_job.identity_key, p_job);
    if v_other is null and registre.serve_owned(v_job, v_now) then
        return query select 'owned', null::uuid, null::timestamptz, 'the document is already owned';
        return;
    end if;
    if v_other is null then
        v_today := registre.today(v_now);
        v_fee := registre.fee(v_job.document_source::text, v_today);
        select a.username::text into v_username from public.worker_accounts a where a.id::text = v_job.account_id;
        insert into registre.purchases as p (job_id, token, account_id, host, identity_key, state, fee_cents, intended_at, source,
            client, batch_id, spent_on)
        values (p_job, p_token, v_job.account_id, p_host, v_job.identity_key, 'intended', v_fee, v_now, v_job.document_source::text,
            v_job.client, v_job.batch_id, v_today)
        on conflict (identity_key) where state in ('intended', 'charged') do nothing
        returning p.* into v_purchase;
        if v_purchase.id is null then v_other := registre.live_purchase(v_job.identity_key, p_job); end if;
    end if;
    if v_purchase.id is null then
        return query select 'in_progress', null::uuid, null::timestamptz,
            coalesce(registre.same_document_reason(v_other, p_job), 'another order is buying the same document');
        return;
    end if;
    v_refusal := registre.reserve(v_purchase, coalesce(v_username, v_job.account_id));
    if v_refusal is not null then
        delete from registre.purchases p where p.id = v_purchase.id;  -- never seen by anybody: this transaction made it
        return query select 'over_budget', null::uuid, null::timestamptz, v_refusal;
        return;
    end if;
    update public.extraction_queue q set purchase_id = v_purchase.id, updated_at = v_now where q.id = p_job;
    perform registre.emit('purchase.intended', p_job, jsonb_build_object('purchase', v_purchase.id, 'fee_cents', v_fee), v_now);
    return query select 'granted', v_purchase.id, v_now, '';
end $$;

-- The purchase and its job, both locked, the job first; or not_found.
create function registre.lock_purchase(p_purchase uuid) returns registre.purchases
language plpgsql as $$
declare
    v_purchase registre.purchases;
begin
    perform 1 from public.extraction_queue q
    where q.id = (select p.job_id from registre.purchases p where p.id = p_purchase) for update;
    select * into v_purchase from registre.purchases where id = p_purchase for update;
    if not found then perform registre.refuse('not_found', 'No purchase has this id.'); end if;
    return v_purchase;
end $$;

-- The open purchase of a job under its token, locked; or lease_lost. An expired lease still counts while nobody took the job:
-- refusing the truth about money because the clock ran out would lose it.
create function registre.open_purchase(p_purchase uuid, p_token bigint, p_states text[]) returns registre.purchases
language plpgsql as $$
declare
    v_purchase registre.purchases := registre.lock_purchase(p_purchase);
begin
    if v_purchase.token = p_token and v_purchase.state = any (p_states)
       and exists (select from public.extraction_queue q
                   where q.id = v_purchase.job_id and q.purchase_id = p_purchase and q.lease_token = p_token) then
        return v_purchase;
    end if;
    perform registre.refuse('lease_lost', 'This purchase is no longer yours to change.');
    return null;
end $$;

-- intended → void: a page that is not the viewer answered.
create function registre.void_purchase(p_purchase uuid, p_token bigint, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_purchase registre.purchases := registre.open_purchase(p_purchase, p_token, '{intended}');
begin
    update registre.purchases set state = 'void', voided_at = v_now, reason = p_reason where id = p_purchase;
    update public.extraction_queue set purchase_id = null where id = v_purchase.job_id;
    perform registre.unreserve(v_purchase);
    perform registre.emit('purchase.void', v_purchase.job_id, jsonb_build_object('purchase', p_purchase, 'reason', p_reason), v_now);
end $$;

-- intended → charged: the viewer is open. A repeat changes nothing.
create function registre.charge_purchase(p_purchase uuid, p_token bigint, p_notes jsonb default '[]', p_now timestamptz default null)
returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_purchase registre.purchases := registre.open_purchase(p_purchase, p_token, '{intended,charged}');
    v_cost integer;
begin
    if v_purchase.state = 'charged' then return; end if;
    update registre.purchases set state = 'charged', charged_at = v_now where id = p_purchase;
    update public.extraction_queue set cost_cents = cost_cents + v_purchase.fee_cents, notes = notes || p_notes, updated_at = v_now
    where id = v_purchase.job_id returning cost_cents into v_cost;
    perform registre.site_answered(v_now);
    perform registre.emit('purchase.charged', v_purchase.job_id, jsonb_build_object('purchase', p_purchase,
        'fee_cents', v_purchase.fee_cents, 'notes', p_notes, 'cost_cents', v_cost), v_now);
end $$;

-- charged → secured: the checked PDF is fsynced in this host's spool. From here on the job needs no lease: the file completes
-- it, by whatever process delivers. A file found in the spool after a crash also ends what was held as ambiguous.
create function registre.secure_purchase(p_purchase uuid, p_sha256 text, p_size_bytes bigint, p_pages integer,
                                         p_now timestamptz default null) returns text
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_purchase registre.purchases := registre.lock_purchase(p_purchase);
    v_cost integer;
begin
    if v_purchase.state in ('secured', 'delivered') then
        if v_purchase.sha256 <> p_sha256 then
            perform registre.refuse('other_document', 'This purchase is secured with another file.');
        end if;
        return v_purchase.state;
    end if;
    if v_purchase.state = 'void' then perform registre.refuse('void', 'This purchase was void: its file must be looked at by a person.'); end if;
    update registre.purchases
    set state = 'secured', secured_at = v_now, charged_at = coalesce(charged_at, v_now), sha256 = p_sha256,
        size_bytes = p_size_bytes, pages = p_pages, reason = null
    where id = p_purchase;
    update public.extraction_queue
    set lease_until = case when purchase_id = p_purchase then null else lease_until end,
        step = case when purchase_id = p_purchase then null else step end, updated_at = v_now,
        cost_cents = cost_cents + case when v_purchase.charged_at is null then v_purchase.fee_cents else 0 end
    where id = v_purchase.job_id returning cost_cents into v_cost;
    perform registre.end_attempt(v_purchase.job_id, v_purchase.token, 'secured', null, null, v_now);
    perform registre.emit('purchase.secured', v_purchase.job_id,
        jsonb_strip_nulls(jsonb_build_object('purchase', p_purchase, 'sha256', p_sha256, 'size_bytes', p_size_bytes, 'pages', p_pages,
            'cost_cents', v_cost)), v_now);
    return 'secured';
end $$;

-- intended | charged → ambiguous, and its job with it: nobody can tell whether a document without a file was billed. Only as many
-- a day as the rules allow are bought again without a person; their first purchase stays counted.
create function registre.hold_ambiguous(p_job uuid, p_purchase uuid, p_reason text, p_now timestamptz) returns text
language plpgsql as $$
declare
    v_purchase registre.purchases;
    v_job public.extraction_queue;
    v_rebuys integer := (select r.rebuys_per_day from registre.rules r);
begin
    update registre.purchases set state = 'ambiguous', ambiguous_at = p_now, reason = p_reason where id = p_purchase
    returning * into v_purchase;
    perform registre.emit('purchase.ambiguous', p_job, jsonb_build_object('purchase', p_purchase, 'reason', p_reason), p_now);
    if v_rebuys > 0 then
        perform pg_advisory_xact_lock(7305811004);  -- two workers must not both take the last rebuy of the day
        select * into v_job from public.extraction_queue q where q.id = p_job;
        if v_job.status in ('En traitement', 'Erreur') and v_rebuys > (
            select count(*) from registre.purchases p
            where p.settlement = 'automatic' and p.settled_at >= registre.today(p_now)::timestamp at time zone 'America/Toronto') then
            update registre.purchases set settled_at = p_now, settlement = 'automatic', settled_by = 'the rules' where id = p_purchase;
            update public.extraction_queue set purchase_id = null where id = p_job;
            if v_job.attemtps >= coalesce(v_job.max_attempts, 3) then
                perform registre.close_job(p_job, v_purchase.token, 'Erreur', 'attempts_exhausted', 'The last attempt: ' || p_reason || '.',
                    'ambiguous', p_now);
                return 'attempts_exhausted';
            end if;
            perform registre.wait_again(p_job, v_purchase.token, 0, true, 'retried', 'ambiguous_purchase',
                'bought again by the rules, for ' || p_reason, p_now);
            return 'rebuy';
        end if;
    end if;
    perform registre.close_job(p_job, v_purchase.token, 'Erreur', 'ambiguous_purchase',
        case when v_purchase.charged_at is null
             then 'It is not known whether the registry billed this document: ' || p_reason || '. A person decides.'
             else 'The registry billed this document, but no file of it is safe: ' || p_reason || '. A person decides.' end,
        'ambiguous', p_now);
    return 'ambiguous_purchase';
end $$;

-- The owner's own way to say so.
create function registre.mark_ambiguous(p_purchase uuid, p_token bigint, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_purchase registre.purchases := registre.open_purchase(p_purchase, p_token, '{intended,charged}');
begin
    perform registre.hold_ambiguous(v_purchase.job_id, p_purchase, p_reason, registre.instant(p_now));
end $$;

-- secured → ambiguous: the file that was safe on its host is damaged, or no bucket can ever take it. A repeat changes nothing,
-- and a whole file that turns up after all is secured again.
create function registre.lose_purchase(p_purchase uuid, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_purchase registre.purchases := registre.lock_purchase(p_purchase);
begin
    if v_purchase.state <> 'secured' then return; end if;
    if exists (select from public.extraction_queue q where q.id = v_purchase.job_id and q.purchase_id = p_purchase
               and (q.status = 'En traitement' or (q.status = 'Erreur' and q.error_kind = 'secured_elsewhere'))) then
        perform registre.hold_ambiguous(v_purchase.job_id, p_purchase, p_reason, registre.instant(p_now));
    else
        update registre.purchases set state = 'ambiguous', ambiguous_at = registre.instant(p_now), reason = p_reason where id = p_purchase;
        perform registre.emit('purchase.ambiguous', v_purchase.job_id,
            jsonb_build_object('purchase', p_purchase, 'reason', p_reason), registre.instant(p_now));
    end if;
end $$;
