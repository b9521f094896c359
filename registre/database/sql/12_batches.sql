-- Batches: one order of many documents, its price known before, its approval a gate.

-- For each order, in its order: the path of a document that serves it for nothing, whether it repeats an earlier one, its fee.
-- p_orders as in submit_jobs.
create function registre.quote(p_orders jsonb, p_now timestamptz default null)
returns table (n bigint, owned text, repeated boolean, fee_cents integer)
language sql stable as $$
    with asked as (
        select o.n, o.item->>'source' as source, coalesce((o.item->>'fresh')::boolean, false) as fresh,
            registre.identity_key(o.item->>'source', o.item->>'number', o.item->>'circonscription', o.item->>'cadastre',
                                  o.item->>'designation', o.item->>'acte_type') as identity_key
        from jsonb_array_elements(p_orders) with ordinality as o(item, n)
    ), judged as (
        select a.n, a.source, case when not a.fresh then registre.owned(a.identity_key, a.source, registre.instant(p_now)) end as owned,
            not a.fresh and row_number() over (partition by a.identity_key order by a.n) > 1 as repeated
        from asked a
    )
    select j.n, p.bucket || '/' || p.object_key, j.repeated,
        case when j.owned is null and not j.repeated then registre.fee(j.source, registre.today(registre.instant(p_now))) else 0 end
    from judged j left join registre.purchases p on p.id = j.owned
    order by j.n
$$;

-- All or none. Above the threshold of the rules nothing of it is bought before a person approves.
create function registre.submit_batch(p_name text, p_client text, p_author text, p_cap_cents bigint, p_orders jsonb,
                                      p_now timestamptz default null) returns uuid
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_price bigint := (select coalesce(sum(q.fee_cents), 0) from registre.quote(p_orders, v_now) q);
    v_batch uuid;
begin
    insert into registre.batches (name, client, author, created_at, price_cents, needs_approval)
    select p_name, p_client, p_author, v_now, v_price, coalesce(v_price > r.approval_above_cents, false) from registre.rules r
    returning id into v_batch;
    if p_cap_cents is not null then
        insert into registre.budgets (scope, name, period, cap_cents) values ('batch', v_batch::text, 'total', p_cap_cents);
    end if;
    perform registre.submit_jobs(p_orders, v_batch, p_now);
    perform registre.emit('batch.submitted', null, jsonb_build_object('batch', v_batch, 'name', p_name, 'client', p_client,
        'author', p_author, 'orders', jsonb_array_length(p_orders), 'price_cents', v_price), v_now);
    return v_batch;
end $$;

-- When so many jobs will be done, in open hours, at the pace of the last two hundred purchases and with the accounts now at work.
-- Null when no account works or nothing was ever bought.
create function registre.done_at(p_jobs bigint, p_now timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    v_seconds double precision;
    v_accounts integer := (select count(*) from public.worker_accounts a where a.lease_until > p_now);
begin
    if p_jobs = 0 then return null; end if;
    select avg(extract(epoch from t.ended_at - t.started_at)) into v_seconds
    from (select a.started_at, a.ended_at from registre.attempts a where a.ending in ('secured', 'completed') order by a.id desc limit 200) t;
    if v_seconds is null or v_accounts = 0 then return null; end if;
    return registre.after_open_seconds(p_now, p_jobs * greatest(v_seconds, (select r.pace_seconds from registre.rules r)) / v_accounts);
end $$;

create function registre.batches_as_seen(p_id uuid default null, p_limit integer default 50, p_now timestamptz default null)
returns table (id uuid, name text, client text, author text, created_at timestamptz, price_cents bigint, cap_cents bigint,
               needs_approval boolean, approved_at timestamptz, approved_by text, counts jsonb, spent_cents bigint, reserved_cents bigint,
               done_at timestamptz)
language sql stable as $$
    select b.id, b.name, b.client, b.author, b.created_at, b.price_cents,
        (select g.cap_cents from registre.budgets g where g.scope = 'batch' and g.name = b.id::text and g.period = 'total'),
        b.needs_approval, b.approved_at, b.approved_by, c.counts, coalesce(m.spent, 0), coalesce(m.reserved, 0),
        case when not b.needs_approval or b.approved_at is not null then registre.done_at(c.open_jobs::bigint, registre.instant(p_now)) end
    from (select * from registre.batches a where p_id is null or a.id = p_id order by a.created_at desc, a.id desc limit p_limit) b
    cross join lateral (
        select coalesce(jsonb_object_agg(s.status, s.jobs), '{}') as counts,
            coalesce(sum(s.jobs) filter (where s.status in ('En attente', 'En traitement')), 0) as open_jobs
        from (select q.status::text as status, count(*) as jobs from public.extraction_queue q where q.batch_id = b.id group by 1) s) c
    cross join lateral (
        select sum(p.fee_cents) filter (where p.state in ('secured', 'delivered', 'ambiguous')) as spent,
            sum(p.fee_cents) filter (where p.state in ('intended', 'charged')) as reserved
        from registre.purchases p where p.batch_id = b.id) m
    order by b.created_at desc, b.id desc
$$;

create function registre.approve_batch(p_batch uuid, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    update registre.batches set approved_at = registre.instant(p_now), approved_by = p_author
    where id = p_batch and needs_approval and approved_at is null;
    if not found then
        if not exists (select from registre.batches b where b.id = p_batch) then
            perform registre.refuse('not_found', 'No batch has this id.');
        end if;
        perform registre.refuse('not_waiting', 'This batch waits for no approval.');
    end if;
    perform registre.emit('batch.approved', null, jsonb_build_object('batch', p_batch, 'author', p_author), registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;

-- Cancels what may still be cancelled; what is being bought is not. Returns how many, those asked to stop included. p_expected:
-- nothing is done when others than so many have not ended. They are counted once their rows are locked, so none ends in between.
create function registre.cancel_batch(p_batch uuid, p_author text, p_expected integer default null, p_now timestamptz default null)
returns integer
language plpgsql as $$
declare
    v_left uuid[];
    v_job uuid;
    v_cancelled integer := 0;
begin
    if not exists (select from registre.batches b where b.id = p_batch) then
        perform registre.refuse('not_found', 'No batch has this id.');
    end if;
    v_left := array(select q.id from public.extraction_queue q where q.batch_id = p_batch and q.status in ('En attente', 'En traitement')
                    order by q.id for update);
    if p_expected <> cardinality(v_left) then
        perform registre.refuse('miscounted', p_expected || ' orders were expected, and ' || cardinality(v_left)
            || ' have not ended; nothing was done.');
    end if;
    foreach v_job in array v_left loop
        if not exists (select from public.extraction_queue q join registre.purchases p on p.id = q.purchase_id
                       where q.id = v_job and p.state in ('intended', 'charged', 'secured')) then
            perform registre.cancel_job(v_job, p_author, p_now);
            v_cancelled := v_cancelled + 1;
        end if;
    end loop;
    perform registre.emit('batch.cancelled', null, jsonb_build_object('batch', p_batch, 'author', p_author, 'jobs', v_cancelled),
        registre.instant(p_now));
    return v_cancelled;
end $$;
