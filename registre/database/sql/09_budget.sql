-- Budgets: reserved by intend, given back by void, so that two workers can never pass a cap together: the rows of use are locked,
-- always in one order, before the caps are looked at.

-- Where a purchase counts: [{scope, name, period, starts_on}].
create function registre.spends(p_purchase registre.purchases, p_username text)
returns table (scope text, name text, period text, starts_on date)
language sql immutable as $$
    select v.scope, v.name, v.period, registre.period_start(v.period, p_purchase.spent_on)
    from (values ('account', p_username, 'day'), ('account', p_username, 'month'),
                 ('batch', p_purchase.batch_id::text, 'total'),
                 ('client', p_purchase.client, 'day'), ('client', p_purchase.client, 'month'),
                 ('site', '', 'day'), ('site', '', 'month')) as v (scope, name, period)
    where v.name is not null
$$;

-- Counts the fee of a purchase everywhere, or nowhere: null, or the sentence of the first budget that has no room for it.
create function registre.reserve(p_purchase registre.purchases, p_username text) returns text
language plpgsql as $$
declare
    v_over record;
begin
    insert into registre.spending as s (scope, name, period, starts_on, used_cents)
    select w.scope, w.name, w.period, w.starts_on, p_purchase.fee_cents from registre.spends(p_purchase, p_username) w order by 1, 2, 3
    on conflict (scope, name, period, starts_on) do update set used_cents = s.used_cents + excluded.used_cents;
    if not exists (select from registre.budgets) then return null; end if;
    select b.scope, b.name, b.period, b.used_cents - p_purchase.fee_cents as used_cents, b.cap_cents into v_over
    from registre.spends(p_purchase, p_username) w
    join registre.budgets_used(p_purchase.spent_on, 0) b on b.scope = w.scope and b.name = w.name and b.period = w.period
    where b.used_cents > b.cap_cents
    order by array_position('{site,account,client,batch}'::text[], b.scope), b.period limit 1;
    if v_over is null then return null; end if;
    perform registre.spend(p_purchase, p_username, -p_purchase.fee_cents);
    return case v_over.scope when 'site' then 'The budget' else 'The budget of this ' || v_over.scope end
        || case v_over.period when 'day' then ' of the day' when 'month' then ' of the month' else '' end
        || ' has no room for ' || registre.dollars(p_purchase.fee_cents) || ' (' || registre.dollars(v_over.used_cents) || ' of '
        || registre.dollars(v_over.cap_cents) || ' used).';
end $$;

create function registre.spend(p_purchase registre.purchases, p_username text, p_cents bigint) returns void
language plpgsql as $$
begin
    insert into registre.spending as s (scope, name, period, starts_on, used_cents)
    select w.scope, w.name, w.period, w.starts_on, p_cents from registre.spends(p_purchase, p_username) w order by 1, 2, 3
    on conflict (scope, name, period, starts_on) do update set used_cents = s.used_cents + excluded.used_cents;
end $$;

-- Gives the fee of a void purchase back to the days and months it was reserved in.
create function registre.unreserve(p_purchase registre.purchases) returns void
language plpgsql as $$
begin
    perform registre.spend(p_purchase, coalesce((select a.username::text from public.worker_accounts a where a.id::text = p_purchase.account_id),
        p_purchase.account_id), -p_purchase.fee_cents);
    if exists (select from registre.budgets) then perform pg_notify('registre_jobs', ''); end if;
end $$;

create function registre.list_fees() returns table (source text, valid_from date, cents integer)
language sql stable as $$ select f.source, f.valid_from, f.cents from registre.fees f order by f.source, f.valid_from $$;

create function registre.set_fee(p_source text, p_valid_from date, p_cents integer, p_author text, p_now timestamptz default null)
returns void
language plpgsql as $$
begin
    if p_cents not between 0 and 1000000 then
        perform registre.refuse('bad_value', 'A fee is between 0 and 10 000 $; it cannot be ' || registre.dollars(p_cents) || '.');
    end if;
    insert into registre.fees (source, valid_from, cents) values (p_source, p_valid_from, p_cents)
    on conflict (source, valid_from) do update set cents = p_cents;
    perform registre.emit('fee.changed', null, jsonb_build_object('source', p_source, 'valid_from', p_valid_from, 'cents', p_cents,
        'author', p_author), registre.instant(p_now));
end $$;

create function registre.list_budgets(p_now timestamptz default null)
returns table (scope text, name text, period text, cap_cents bigint, used_cents bigint)
language sql stable as $$
    select b.scope, b.name, b.period, b.cap_cents, coalesce(u.used_cents, 0)
    from registre.budgets b
    left join (select u.scope, u.budget_name, u.period, max(u.used_cents) as used_cents
               from registre.budgets_used(registre.today(registre.instant(p_now)), 0) u group by 1, 2, 3) u
        on u.scope = b.scope and u.budget_name = b.name and u.period = b.period
    order by array_position('{site,account,client,batch}'::text[], b.scope), b.name, b.period
$$;

-- p_cap_cents null removes the cap.
create function registre.set_budget(p_scope text, p_name text, p_period text, p_cap_cents bigint, p_author text,
                                    p_now timestamptz default null) returns void
language plpgsql as $$
begin
    if not (p_scope in ('site', 'account', 'client') and p_period in ('day', 'month') or p_scope = 'batch' and p_period = 'total') then
        perform registre.refuse('bad_value', 'There is no such budget: one is of the site, an account or a client, for a day or a month, or of a batch in total.');
    end if;
    if p_cap_cents < 0 then
        perform registre.refuse('bad_value', 'The cap of a budget cannot be less than nothing.');
    end if;
    if (p_scope = 'site') <> (p_name = '') then
        perform registre.refuse('bad_value', 'The budget of the site has no name, every other budget has one (or * for each).');
    end if;
    if p_cap_cents is null then
        delete from registre.budgets where scope = p_scope and name = p_name and period = p_period;
        if not found then perform registre.refuse('not_found', 'There is no such budget.'); end if;
    else
        insert into registre.budgets (scope, name, period, cap_cents) values (p_scope, p_name, p_period, p_cap_cents)
        on conflict (scope, name, period) do update set cap_cents = p_cap_cents;
    end if;
    perform registre.emit('budget.changed', null, jsonb_build_object('scope', p_scope, 'name', p_name, 'period', p_period,
        'cap_cents', p_cap_cents, 'author', p_author), registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;

-- What was spent on the days from p_first to p_last, grouped by day, account, client, source or batch.
create function registre.costs(p_first date, p_last date, p_by text)
returns table (key text, documents bigint, documents_cents bigint, ambiguous bigint, ambiguous_cents bigint, reserved bigint,
               reserved_cents bigint, reused bigint)
language sql stable as $$
    with bought as (
        select case p_by when 'day' then p.spent_on::text when 'account' then coalesce(a.username::text, p.account_id)
                         when 'client' then p.client when 'source' then p.source else coalesce(b.name, '') end as key, p.state, p.fee_cents
        from registre.purchases p
        left join public.worker_accounts a on a.id::text = p.account_id
        left join registre.batches b on b.id = p.batch_id
        where p.spent_on between p_first and p_last and p.state <> 'void'
    ), served as (
        select case p_by when 'day' then registre.today(e.at)::text when 'account' then ''
                         when 'client' then q.client when 'source' then q.document_source::text else coalesce(b.name, '') end as key
        from registre.events e
        join public.extraction_queue q on q.id = e.job_id
        left join registre.batches b on b.id = q.batch_id
        where e.kind = 'job.reused' and e.at >= p_first::timestamp at time zone 'America/Toronto'
          and e.at < (p_last + 1)::timestamp at time zone 'America/Toronto'
    ), lines as (
        select b.key, b.state, b.fee_cents, 0 as reused from bought b union all select s.key, 'reused', 0, 1 from served s
    )
    select l.key,
        count(*) filter (where l.state in ('secured', 'delivered')),
        coalesce(sum(l.fee_cents) filter (where l.state in ('secured', 'delivered')), 0),
        count(*) filter (where l.state = 'ambiguous'), coalesce(sum(l.fee_cents) filter (where l.state = 'ambiguous'), 0),
        count(*) filter (where l.state in ('intended', 'charged')),
        coalesce(sum(l.fee_cents) filter (where l.state in ('intended', 'charged')), 0),
        sum(l.reused)
    from lines l group by l.key order by l.key
$$;
