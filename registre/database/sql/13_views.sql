-- What people look at. Reads only.

create function registre.jobs_as_seen(p_id uuid default null, p_status text default null, p_limit integer default 100)
returns table (id uuid, status text, source text, number text, circonscription text, cadastre text, designation text, acte_type text,
               client text, worker_id text, attempts integer, max_attempts integer, rescues integer, supabase_path text,
               error_kind text, error_message text, notes jsonb, cost_cents integer, step text, next_attempt_at timestamptz,
               created_at timestamptz, started_at timestamptz, finished_at timestamptz)
language sql stable as $$
    select q.id, q.status::text, q.document_source::text, coalesce(q.document_number::text, ''), coalesce(q.circonscription_fonciere, ''),
        coalesce(q.cadastre, ''), coalesce(q.designation_secondaire, ''), coalesce(q.acte_type, ''), q.client, q.worker_id,
        coalesce(q.attemtps, 0), coalesce(q.max_attempts, 3), q.rescues, q.supabase_path, q.error_kind, q.error_message, q.notes,
        q.cost_cents, q.step, q.next_attempt_at, q.created_at, q.processing_started_at, q.finished_at
    from public.extraction_queue q
    where (p_id is null or q.id = p_id) and (p_status is null or q.status::text = p_status)
    order by q.created_at desc, q.id limit p_limit
$$;

create function registre.count_jobs() returns table (status text, jobs bigint)
language sql stable as $$ select q.status::text, count(*) from public.extraction_queue q group by 1 $$;

create function registre.purchases_as_seen(p_job uuid default null)
returns table (id uuid, job_id uuid, state text, fee_cents integer, account text, intended_at timestamptz, charged_at timestamptz,
               secured_at timestamptz, delivered_at timestamptz, sha256 text, size_bytes bigint, pages integer, reason text)
language sql stable as $$
    select p.id, p.job_id, p.state, p.fee_cents, coalesce(a.username, p.account_id), p.intended_at, p.charged_at, p.secured_at,
        p.delivered_at, p.sha256, p.size_bytes, p.pages, p.reason
    from registre.purchases p left join public.worker_accounts a on a.id::text = p.account_id
    where p_job is null or p.job_id = p_job order by p.intended_at
$$;

create function registre.attempts_as_seen(p_job uuid)
returns table (number integer, owner text, account text, started_at timestamptz, ended_at timestamptz, ending text,
               error_kind text, message text, evidence text)
language sql stable as $$
    select t.number, t.owner, coalesce(a.username, t.account_id), t.started_at, t.ended_at, t.ending, t.error_kind, t.message, t.evidence
    from registre.attempts t left join public.worker_accounts a on a.id::text = t.account_id
    where t.job_id = p_job order by t.started_at
$$;

-- Called by a worker's browsers as they change; V2's monitoring reads this table. Through the row's own type and without
-- on conflict, since an adopted table has its own columns and keys.
create function registre.report_worker(p_worker text, p_status text, p_account text, p_job uuid, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_row public.worker_status := jsonb_populate_record(null::public.worker_status, jsonb_build_object(
        'worker_id', p_worker, 'status', p_status, 'account_id', p_account, 'current_job_id', p_job,
        'last_heartbeat', registre.instant(p_now), 'started_at', registre.instant(p_now)));
begin
    update public.worker_status w
    set status = v_row.status, account_id = v_row.account_id, current_job_id = v_row.current_job_id,
        last_heartbeat = v_row.last_heartbeat
    where w.worker_id = v_row.worker_id;
    if not found then
        insert into public.worker_status (worker_id, status, account_id, current_job_id, last_heartbeat, started_at)
        values (v_row.worker_id, v_row.status, v_row.account_id, v_row.current_job_id, v_row.last_heartbeat, v_row.started_at);
    end if;
end $$;
