-- What people look at. Reads only.

-- One row of the queue as people see it.
drop type if exists registre.job_seen cascade;
create type registre.job_seen as (
    id text, status text, source text, number text, circonscription text, cadastre text, designation text, acte_type text,
    client text, batch_id text, priority integer, worker_id text, attempts integer, max_attempts integer, rescues integer,
    supabase_path text, error_kind text, error_message text, notes jsonb, cost_cents integer, step text, next_attempt_at timestamptz,
    wait_reason text, deadline timestamptz, created_at timestamptz, started_at timestamptz, finished_at timestamptz, needs_review boolean);

-- A row of a page, and how many the whole listing holds.
drop type if exists registre.job_listed cascade;
create type registre.job_listed as (
    id text, status text, source text, number text, circonscription text, cadastre text, designation text, acte_type text,
    client text, batch_id text, priority integer, worker_id text, attempts integer, max_attempts integer, rescues integer,
    supabase_path text, error_kind text, error_message text, notes jsonb, cost_cents integer, step text, next_attempt_at timestamptz,
    wait_reason text, deadline timestamptz, created_at timestamptz, started_at timestamptz, finished_at timestamptz, needs_review boolean,
    total bigint);

-- Written out into the statements: asked for as a function of the row it would be planned once for each of its columns, 3 ms.
create function registre.seen_columns() returns text
language sql immutable as $$
    select 'q.id::text, q.status::text, q.document_source::text, coalesce(q.document_number::text, ''''), '
        'coalesce(q.circonscription_fonciere::text, ''''), coalesce(q.cadastre::text, ''''), '
        'coalesce(q.designation_secondaire::text, ''''), coalesce(q.acte_type::text, ''''), q.client, q.batch_id::text, q.priority, '
        'q.worker_id::text, coalesce(q.attemtps, 0)::integer, coalesce(q.max_attempts, 3)::integer, q.rescues, '
        'q.supabase_path::text, q.error_kind, q.error_message::text, q.notes, q.cost_cents, q.step, q.next_attempt_at, '
        'q.wait_reason, q.deadline, q.created_at, q.processing_started_at, q.finished_at, q.needs_review'
$$;

create function registre.job_as_seen(p_id uuid) returns setof registre.job_seen
language plpgsql stable as $$
begin
    return query execute 'select ' || registre.seen_columns() || ' from public.extraction_queue q where q.id = $1' using p_id;
end $$;

-- The statement behind page_of_jobs, ids_of_jobs and count_page (p_wanted: rows, ids, count): only what is asked for stands in it. The newest of each status and source there is (a dozen
-- short walks), and of these the newest: so that rare things are found as fast as frequent ones. No index has all rows by their
-- instant: a plan would look along it for what is rare, in vain, since what lies together on the disk looks cheap.
-- A number names few rows and a batch some thousands: whatever else is asked for is looked for in these, hence as expressions
-- that no index has.
-- The rows of a page are fetched once it is known which they are: of a dozen walks' rows most are not among the newest. What is only
-- counted is not fetched; each walk keeps its order, or a plan would look through the whole table for what is rare.
create function registre.page_statement(p_status text, p_source text, p_client text, p_batch uuid, p_kind text,
                                        p_before_at timestamptz, p_before_id uuid, p_limit integer, p_number text default null,
                                        p_place text default null, p_wanted text default 'rows', p_oldest boolean default false) returns text
language plpgsql stable as $$
declare
    -- The same indexes, walked from the other end, when the oldest come first; p_before is then what they come after.
    v_way text := case when p_oldest then '' else ' desc' end;
    v_after text := case when p_before_at is null then ''
        else format(' and (q.created_at, q.id) %s (%L, %L)', case when p_oldest then '>' else '<' end, p_before_at, p_before_id) end;
    v_newest text := format(' order by q.created_at%s, q.id%s limit %s', v_way, v_way, p_limit);
    v_narrow boolean := p_number is not null or p_batch is not null;
    v_asked text := '';
    v_more text := '';
    v_walks text;
    v_first text := ' order by q.status, q.document_source limit 1';
    -- Beside a given status the comparison of pairs would be no place to start from, only a filter of all that have the status.
    v_next text := case when p_status is null then '(q.status, q.document_source) > (k.status, k.document_source)'
                        else 'q.document_source > k.document_source' end;
begin
    if p_place is not null and not v_narrow and (p_client is not null or p_kind is not null) then
        perform registre.refuse('no_index', 'A circonscription can be looked for together with a status, a source, a number or a batch; '
            || 'not with a client or a kind of error.');
    end if;
    if p_number is not null then v_asked := format(' and q.document_number_normalized = %L', p_number); end if;
    if p_batch is not null then
        if p_number is null then v_asked := v_asked || format(' and q.batch_id = %L', p_batch);
        else v_more := v_more || format(' and q.batch_id::text || '''' = %L', p_batch); end if;
    end if;
    if p_kind is not null then
        if p_number is null then v_asked := v_asked || format(' and q.error_kind = %L', p_kind);
        else v_more := v_more || format(' and q.error_kind || '''' = %L', p_kind); end if;
    end if;
    if p_status is not null then v_asked := v_asked || format(' and q.status = %L', p_status); end if;
    if p_client is not null then
        if v_narrow then v_more := v_more || format(' and q.client || '''' = %L', p_client);
        else v_asked := v_asked || format(' and q.client = %L', p_client); end if;
    end if;
    if p_place is not null then
        if v_narrow then v_more := v_more || format(' and q.circonscription_fonciere || '''' = %L', p_place);
        else v_asked := v_asked || format(' and q.circonscription_fonciere = %L', p_place); end if;
    end if;
    v_walks := 'with recursive pairs as ('
        || '(select q.status, q.document_source from public.extraction_queue q where true' || v_asked || v_first || ')'
        || ' union all select n.* from pairs k cross join lateral (select q.status, q.document_source from public.extraction_queue q'
        || ' where ' || v_next || v_asked || v_first || ') n) ';
    v_walks := v_walks || 'select ' || case p_wanted when 'count' then '1' else 'p.id, p.created_at' end
        || ' from pairs k cross join lateral (select q.id, q.created_at from public.extraction_queue q '
        || 'where q.status = k.status and q.document_source = k.document_source' || v_asked || v_more || v_after
        || v_newest || ') p'
        || case when p_source is null then '' else format(' where k.document_source = %L', p_source) end
        || case p_wanted when 'count' then '' else format(' order by p.created_at%s, p.id%s', v_way, v_way) end || format(' limit %s', p_limit);
    return case p_wanted
        when 'rows' then 'select q.* from (' || v_walks || ') i join public.extraction_queue q on q.id = i.id '
            || format('order by i.created_at%s, i.id%s', v_way, v_way)
        else v_walks end;
end $$;

-- The same walks for what is looked at most: everything, or the orders of one client, or of one kind of error; by status and source or
-- not. A statement that never changes, so that its plan is kept: making one takes as long as reading a page. $1 is the client or
-- kind, $2 the status, $3 the source, $4 and $5 where the page before ended, $6 the limit; nothing in it depends on how many rows the
-- planner believes there are, hence "offset 0". `p_asked` is '' or compares with $1.
create function registre.walks_kept(p_asked text, p_wanted text) returns text
language sql immutable as $$
    select 'with recursive pairs as ('
        '(select q.status, q.document_source from public.extraction_queue q where true' || p_asked ||
        ' order by q.status, q.document_source limit 1) union all select n.* from pairs k cross join lateral ('
        'select q.status, q.document_source from public.extraction_queue q where (q.status, q.document_source) > '
        '(k.status, k.document_source)' || p_asked || ' order by q.status, q.document_source limit 1) n) ' ||
        case p_wanted when 'count' then
            'select count(*) from (select 1 from pairs k cross join lateral (select 1 from public.extraction_queue q '
            'where q.status = k.status and q.document_source = k.document_source' || p_asked ||
            ' order by q.created_at desc, q.id desc limit $6) p '  -- in its order, or a plan would look through the whole table
            'where ($2 is null or k.status::text = $2) and ($3 is null or k.document_source::text = $3) limit $6) c'
        else
            'select ' || registre.seen_columns() || ' from (select p.id, p.created_at from pairs k cross join lateral ('
            'select q.id, q.created_at from public.extraction_queue q where q.status = k.status '
            'and q.document_source = k.document_source' || p_asked || ' and (q.created_at, q.id) < ($4, $5) '
            'order by q.created_at desc, q.id desc limit $6) p '
            'where ($2 is null or k.status::text = $2) and ($3 is null or k.document_source::text = $3) '
            'order by p.created_at desc, p.id desc limit $6) i '
            'cross join lateral (select * from public.extraction_queue q where q.id = i.id offset 0) q '
            'order by i.created_at desc, i.id desc' end
$$;

do $do$
declare
    v_of record;
begin
    for v_of in select * from (values ('all', ''), ('client', ' and q.client = $1'), ('kind', ' and q.error_kind = $1')) f(name, asked) loop
        execute format('create function registre.newest_of_%s(text, text, text, timestamptz, uuid, integer) returns setof registre.job_seen '
            'language plpgsql stable set jit = off set plan_cache_mode = force_generic_plan as %L', v_of.name,
            'begin return query ' || registre.walks_kept(v_of.asked, 'rows') || '; end');
        execute format('create function registre.count_of_%s(text, text, text, timestamptz, uuid, integer) returns bigint '
            'language plpgsql stable set jit = off set plan_cache_mode = force_generic_plan as %L', v_of.name,
            'begin return (' || registre.walks_kept(v_of.asked, 'count') || '); end');
    end loop;
end $do$;

create function registre.page_of_jobs(p_status text default null, p_source text default null, p_client text default null,
                                      p_batch uuid default null, p_kind text default null, p_before_at timestamptz default null,
                                      p_before_id uuid default null, p_limit integer default 100, p_number text default null,
                                      p_place text default null, p_oldest boolean default false) returns setof registre.job_seen
language plpgsql stable set jit = off as $$  -- compiling such a walk would take longer than making it: up to a second
declare
    v_at timestamptz := coalesce(p_before_at, 'infinity');
    v_id uuid := coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
    if p_oldest or coalesce(p_batch::text, p_number, p_place, case when p_kind is not null then p_client end) is not null then
        return query execute 'select ' || registre.seen_columns() || ' from ('
            || registre.page_statement(p_status, p_source, p_client, p_batch, p_kind, p_before_at, p_before_id, p_limit, p_number, p_place,
                                       p_oldest => p_oldest)
            || ') q';
    elsif p_client is not null then
        return query select * from registre.newest_of_client(p_client, p_status, p_source, v_at, v_id, p_limit);
    elsif p_kind is not null then
        return query select * from registre.newest_of_kind(p_kind, p_status, p_source, v_at, v_id, p_limit);
    else
        return query select * from registre.newest_of_all(null, p_status, p_source, v_at, v_id, p_limit);
    end if;
end $$;

-- The whole of a listing at one instant: what is done to many is done to these, and to no other.
create function registre.ids_of_jobs(p_status text default null, p_source text default null, p_client text default null,
                                     p_batch uuid default null, p_kind text default null, p_number text default null,
                                     p_place text default null, p_limit integer default 1000) returns table (id uuid)
language plpgsql stable set jit = off as $$
begin
    return query execute 'select q.id from ('
        || registre.page_statement(p_status, p_source, p_client, p_batch, p_kind, null, null, p_limit, p_number, p_place, 'ids') || ') q';
end $$;

-- How many a listing holds, counted up to p_limit.
create function registre.count_page(p_status text default null, p_source text default null, p_client text default null,
                                    p_batch uuid default null, p_kind text default null, p_number text default null,
                                    p_place text default null, p_limit integer default 1000) returns bigint
language plpgsql stable set jit = off as $$
declare
    v_jobs bigint;
begin
    if coalesce(p_batch::text, p_number, p_place, case when p_kind is not null then p_client end) is not null then
        execute 'select count(*) from ('
            || registre.page_statement(p_status, p_source, p_client, p_batch, p_kind, null, null, p_limit, p_number, p_place, 'count')
            || ') q' into v_jobs;
        return v_jobs;
    elsif p_client is not null then
        return registre.count_of_client(p_client, p_status, p_source, null, null, p_limit);
    elsif p_kind is not null then
        return registre.count_of_kind(p_kind, p_status, p_source, null, null, p_limit);
    end if;
    return registre.count_of_all(null, p_status, p_source, null, null, p_limit);
end $$;

-- page_of_jobs and its total in one call: what people look at most. A status, or everything, is counted as it changes; all else up to
-- p_count_to.
create function registre.listing(p_status text default null, p_source text default null, p_client text default null,
                                 p_batch uuid default null, p_kind text default null, p_before_at timestamptz default null,
                                 p_before_id uuid default null, p_limit integer default 100, p_number text default null,
                                 p_place text default null, p_count_to integer default 1000, p_oldest boolean default false)
returns setof registre.job_listed
language plpgsql stable set jit = off as $$
declare
    v_total bigint;
begin
    if coalesce(p_source, p_client, p_batch::text, p_kind, p_number, p_place) is null then
        select coalesce(sum(c.jobs), 0) into v_total from registre.job_counts c where p_status is null or c.status = p_status;
    else
        v_total := registre.count_page(p_status, p_source, p_client, p_batch, p_kind, p_number, p_place, p_count_to);
    end if;
    return query select j.*, v_total from registre.page_of_jobs(p_status, p_source, p_client, p_batch, p_kind, p_before_at, p_before_id,
        p_limit, p_number, p_place, p_oldest) j;
end $$;

-- From the differences, not from the rows.
create function registre.count_jobs() returns table (status text, jobs bigint)
language sql stable as $$ select c.status, sum(c.jobs)::bigint from registre.job_counts c group by c.status $$;

create function registre.purchases_as_seen(p_job uuid default null)
returns table (id uuid, job_id uuid, state text, fee_cents integer, account text, intended_at timestamptz, charged_at timestamptz,
               secured_at timestamptz, delivered_at timestamptz, sha256 text, size_bytes bigint, pages integer, reason text)
language sql stable as $$
    select p.id, p.job_id, p.state, p.fee_cents, coalesce(a.username, p.account_id), p.intended_at, p.charged_at, p.secured_at,
        p.delivered_at, p.sha256, p.size_bytes, p.pages, p.reason
    from registre.purchases p left join public.worker_accounts a on a.id::text = p.account_id
    where p_job is null or p.job_id = p_job order by p.intended_at, p.token, p.id
$$;

-- By the paths of documents that reached their buckets.
create function registre.purchases_at(p_paths text[])
returns table (path text, id uuid, job_id uuid, state text, fee_cents integer, account text, intended_at timestamptz, charged_at timestamptz,
               secured_at timestamptz, delivered_at timestamptz, sha256 text, size_bytes bigint, pages integer, reason text)
language sql stable as $$
    select w.path, s.* from unnest(p_paths) as w(path)
    join registre.purchases p on p.state = 'delivered' and p.bucket = split_part(w.path, '/', 1)
        and p.object_key = substr(w.path, strpos(w.path, '/') + 1)
    cross join lateral registre.purchases_as_seen(p.job_id) s
    where s.id = p.id
$$;

create function registre.attempts_as_seen(p_job uuid)
returns table (number integer, owner text, account text, started_at timestamptz, ended_at timestamptz, ending text,
               error_kind text, message text, evidence text)
language sql stable as $$
    select t.number, t.owner, coalesce(a.username, t.account_id), t.started_at, t.ended_at, t.ending, t.error_kind, t.message, t.evidence
    from registre.attempts t left join public.worker_accounts a on a.id::text = t.account_id
    where t.job_id = p_job order by t.token
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

-- Why a job waits, in one line, from the same gates that lease_next asks; or how it stands. Without a job: why anything waits.
create function registre.why(p_job uuid default null, p_now timestamptz default null) returns text
language plpgsql stable as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_job public.extraction_queue;
    v_closure record;
    v_waiting bigint;
begin
    if p_job is null then
        select coalesce(sum(c.jobs), 0) into v_waiting from registre.job_counts c where c.status = 'En attente';
        if v_waiting = 0 then return 'nothing waits'; end if;
        select * into v_closure from registre.closures(v_now) c limit 1;
        if found then return v_closure.reason; end if;
        if not exists (select from public.extraction_queue q where q.status = 'En attente' and (q.is_due or q.next_attempt_at <= v_now)) then
            return 'every order that waits is put off; the next one until '
                || registre.spoken((select min(q.next_attempt_at) from public.extraction_queue q where q.status = 'En attente' and not q.is_due), v_now);
        end if;
        return registre.why_no_seat(null, v_now);
    end if;
    select * into v_job from public.extraction_queue q where q.id = p_job;
    if not found then perform registre.refuse('not_found', 'No job has this id.'); end if;
    case v_job.status::text
        when 'Complété' then return 'it is done: ' || coalesce(v_job.supabase_path, '');
        when 'Erreur' then return 'it ended in error: ' || coalesce(v_job.error_message, v_job.error_kind, '');
        when 'En traitement' then
            if v_job.lease_until is null then
                return (select 'its document is bought and on its way to the bucket'
                        || coalesce(', in which it could not be put yet: ' || (select p.reason from registre.purchases p
                            where p.id = v_job.purchase_id and p.state = 'secured'), ''));
            end if;
            return 'it is being worked on by ' || coalesce(v_job.worker_id, v_job.lease_owner) || coalesce(': ' || v_job.step, '');
        else null;
    end case;
    if v_job.deadline <= v_now then return 'its deadline has passed: it is about to end'; end if;
    if not v_job.is_due and v_job.next_attempt_at > v_now then
        return 'put off until ' || registre.spoken(v_job.next_attempt_at, v_now) || coalesce(': ' || rtrim(v_job.wait_reason, '.'), '');
    end if;
    select c.reason into v_closure from registre.closures(v_now) c
    where c.scope = 'site' or (c.scope = 'client' and c.name = v_job.client)
       or (c.scope = 'source' and c.name = v_job.document_source::text) or (c.scope = 'batch' and c.name = v_job.batch_id::text)
    limit 1;
    if found then return v_closure.reason; end if;
    return registre.why_no_seat(v_job.position, v_now);
end $$;

-- The gates of accounts: none at work, all held back, all at work, or all resting between two orders.
create function registre.why_no_seat(p_position double precision, p_now timestamptz) returns text
language plpgsql stable as $$
declare
    v_held integer; v_closed integer; v_busy integer; v_resting integer;
    v_reason text;
    v_ready timestamptz;
begin
    with closed as (
        select distinct on (c.name) c.name, c.reason, c.n
        from registre.closures(p_now) with ordinality as c (gate, scope, name, reason, until, n)
        where c.scope = 'account' order by c.name, c.n
    ), at_work as (
        -- Once for all accounts: asked for each, a thousand of them at work cost a million rows.
        select distinct b.account_id from public.extraction_queue b where b.status = 'En traitement' and b.lease_until > p_now
    ), seats as (
        select a.ready_at, c.n as gate, b.account_id is not null as busy
        from public.worker_accounts a
        left join closed c on c.name = a.username::text
        left join at_work b on b.account_id = a.id::text
        where a.lease_until > p_now and coalesce(a.is_active, true)
    )
    select count(*), count(*) filter (where s.gate is not null), count(*) filter (where s.gate is null and s.busy),
        count(*) filter (where s.gate is null and not s.busy and s.ready_at > p_now),
        (select c.reason from closed c where c.n = min(s.gate)), min(s.ready_at) filter (where s.gate is null and not s.busy)
    into v_held, v_closed, v_busy, v_resting, v_reason, v_ready
    from seats s;
    if v_held = 0 then return 'no account is signed in'; end if;
    if v_closed = v_held then return v_reason; end if;
    if v_busy + v_closed = v_held then return 'every account is at work'; end if;
    if v_resting + v_busy + v_closed = v_held then
        return 'the accounts rest between two orders; the next is ready at ' || to_char(v_ready at time zone 'America/Toronto', 'HH24:MI:SS');
    end if;
    return case when p_position is null then 'it is about to start' else 'it is next in line' end;
end $$;
