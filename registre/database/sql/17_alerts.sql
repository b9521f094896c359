-- Alerts: each opens once, whoever sees it first, and closes when what it tells is over. What they watch is rows; they change none.

-- Everything that should be known now. Private.
create function registre.alarming(p_now timestamptz) returns table (kind text, subject text, data jsonb)
language sql stable as $$
    -- Orders wait, and nobody is there for them; a host that has just started is given the same time.
    select 'no_worker', '', jsonb_build_object('waiting', w.jobs, 'since', o.at)
    from registre.rules r
    cross join lateral (select registre.oldest_waiting() as at) o
    cross join lateral (select sum(c.jobs)::bigint as jobs from registre.job_counts c where c.status = 'En attente') w
    where o.at <= p_now - r.alert_backlog_minutes * interval '1 minute'
      and not exists (select from registre.workers_as_seen(p_now) s where s.status in ('idle', 'busy'))
      and not exists (select from registre.hosts h where h.until > p_now and h.stopped_at is null
                      and h.started_at > p_now - r.alert_backlog_minutes * interval '1 minute')
    union all
    -- Of a quarter of an hour: so many failures, and half of all that ended. What a person ended is none.
    select 'error_burst', '', jsonb_build_object('failed', e.failed, 'ended', e.ended)
    from registre.rules r
    cross join lateral (
        select count(*) filter (where v.kind = 'job.failed') as failed, count(*) as ended from registre.events v
        where v.kind in ('job.completed', 'job.failed') and v.at > p_now - interval '15 minutes' and v.at <= p_now
          and not coalesce(v.data ->> 'error_kind', '') in ('cancelled', 'abandoned', 'deadline_passed')) e
    where e.failed >= r.alert_failures and e.failed * 2 >= e.ended
    union all
    select 'drift', f.source, jsonb_build_object('reason', f.reason) from registre.frozen f
    union all
    -- Not of batches: theirs are never over, and each was approved by itself.
    select case when b.used_cents + m.fee > b.cap_cents then 'budget_over' else 'budget_near' end,
        concat_ws(' ', b.scope, nullif(b.name, ''), b.period),
        jsonb_build_object('scope', b.scope, 'name', b.name, 'period', b.period, 'used_cents', b.used_cents, 'cap_cents', b.cap_cents)
    from registre.rules r
    cross join (select registre.smallest_fee(registre.today(p_now)) as fee) m
    cross join lateral registre.budgets_used(registre.today(p_now), 0) b
    where b.scope <> 'batch' and b.used_cents > 0 and b.used_cents * 100 >= b.cap_cents * r.alert_budget_percent
    union all
    select 'spool_filling', h.host, jsonb_build_object('documents', h.undelivered, 'since', h.oldest_undelivered_at, 'state', h.state)
    from registre.rules r cross join registre.hosts_as_seen(p_now) h
    where h.undelivered >= r.alert_spool_documents or h.oldest_undelivered_at <= p_now - r.alert_spool_minutes * interval '1 minute'
    union all
    select 'account_set_aside', a.username::text, jsonb_build_object('reason', a.set_aside_reason, 'until', a.set_aside_until)
    from public.worker_accounts a
    where coalesce(a.is_active, true) and a.set_aside_reason is not null and (a.set_aside_until is null or a.set_aside_until > p_now)
$$;

-- none → open → closed. One judge at a time; how many opened or closed.
create function registre.judge_alerts(p_now timestamptz default null) returns integer
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_due jsonb;
    v_alert record;
    v_changed integer := 0;
begin
    if not pg_try_advisory_xact_lock(7305811006) then return 0; end if;
    select coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'subject', d.subject, 'data', d.data)), '[]') into v_due
    from registre.alarming(v_now) d;
    update registre.alerts a set data = d.data
    from jsonb_to_recordset(v_due) as d(kind text, subject text, data jsonb)
    where a.closed_at is null and a.kind = d.kind and a.subject = d.subject and a.data <> d.data;
    for v_alert in
        update registre.alerts a set closed_at = v_now
        where a.closed_at is null and not exists (
            select from jsonb_to_recordset(v_due) as d(kind text, subject text) where d.kind = a.kind and d.subject = a.subject)
        returning a.*
    loop
        perform registre.emit('alert.closed', null, registre.told_of(v_alert.id), v_now);
        v_changed := v_changed + 1;
    end loop;
    for v_alert in
        insert into registre.alerts as a (kind, subject, data, opened_at)
        select d.kind, d.subject, d.data, v_now from jsonb_to_recordset(v_due) as d(kind text, subject text, data jsonb)
        order by d.kind, d.subject
        on conflict (kind, subject) where closed_at is null do nothing
        returning a.*
    loop
        perform registre.emit('alert.opened', null, registre.told_of(v_alert.id), v_now);
        v_changed := v_changed + 1;
    end loop;
    return v_changed;
end $$;

-- What an event about an alert holds. Private.
create function registre.told_of(p_alert bigint) returns jsonb
language sql stable as $$
    select jsonb_build_object('alert', a.id, 'about', a.kind, 'subject', a.subject, 'opened_at', a.opened_at, 'facts', a.data)
    from registre.alerts a where a.id = p_alert
$$;

create function registre.list_alerts(p_open_only boolean default true, p_limit integer default 100)
returns table (id bigint, kind text, subject text, data jsonb, opened_at timestamptz, closed_at timestamptz)
language sql stable as $$
    select a.id, a.kind, a.subject, a.data, a.opened_at, a.closed_at from registre.alerts a
    where not p_open_only or a.closed_at is null order by a.id desc limit p_limit
$$;
