-- Telling other programs. A notice is made from an event by plan_notices, sent by whoever claims it, and ends delivered or given up.

create function registre.add_webhook(p_name text, p_url text, p_secret text, p_kinds text[], p_client text, p_batch uuid, p_author text,
                                     p_now timestamptz default null) returns uuid
language plpgsql as $$
declare
    v_id uuid;
begin
    -- Whoever plans waits, and then reads from here on: what happened while nobody was to be told is nobody's.
    perform pg_advisory_xact_lock(7305811004);
    if not exists (select from registre.webhooks w where w.removed_at is null) then
        delete from registre.notices_read;
        insert into registre.notices_read (cursor) values (coalesce((select l.cursor from registre.last_events(1) l), ''));
    end if;
    insert into registre.webhooks (name, url, secret, kinds, client, batch_id, author, created_at)
    values (p_name, p_url, p_secret, p_kinds, p_client, p_batch, p_author, registre.instant(p_now)) returning id into v_id;
    perform registre.emit('webhook.added', null, jsonb_build_object('webhook', v_id, 'name', p_name, 'author', p_author), registre.instant(p_now));
    return v_id;
end $$;

-- The secret is told to whoever sends, and to nobody else.
create function registre.list_webhooks(p_id uuid default null)
returns table (id uuid, name text, url text, kinds text[], client text, batch_id uuid, author text, created_at timestamptz,
               waiting bigint, given_up bigint)
language sql stable as $$
    select w.id, w.name, w.url, w.kinds, w.client, w.batch_id, w.author, w.created_at,
        (select count(*) from registre.notices n where n.webhook_id = w.id and n.state = 'waiting'),
        (select count(*) from registre.notices n where n.webhook_id = w.id and n.state = 'given up')
    from registre.webhooks w where w.removed_at is null and (p_id is null or w.id = p_id) order by w.created_at, w.id
$$;

-- What was still to be told is not told any more.
create function registre.remove_webhook(p_id uuid, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    update registre.webhooks set removed_at = registre.instant(p_now), removed_by = p_author where id = p_id and removed_at is null;
    if not found then perform registre.refuse('not_found', 'No webhook has this id.'); end if;
    update registre.notices set state = 'given up', error = 'the webhook was removed', next_at = null, ended_at = registre.instant(p_now)
    where webhook_id = p_id and state = 'waiting';
    perform registre.emit('webhook.removed', null, jsonb_build_object('webhook', p_id, 'author', p_author), registre.instant(p_now));
end $$;

-- A notice that says no more than that it is one.
create function registre.test_webhook(p_id uuid, p_now timestamptz default null) returns uuid
language plpgsql as $$
declare
    v_notice uuid;
begin
    if not exists (select from registre.webhooks w where w.id = p_id and w.removed_at is null) then
        perform registre.refuse('not_found', 'No webhook has this id.');
    end if;
    insert into registre.notices (webhook_id, kind, body, created_at, next_at)
    values (p_id, 'webhook.test', jsonb_build_object('webhook', p_id), registre.instant(p_now), registre.instant(p_now))
    returning id into v_notice;
    return v_notice;
end $$;

-- What ended longer ago than the rules keep it goes, a thousand at a time; that of removed webhooks too. Private.
create function registre.forget_notices(p_now timestamptz) returns void
language sql as $$
    delete from registre.notices n where n.id in (
        select o.id from registre.notices o
        where o.ended_at < p_now - (select r.notice_days from registre.rules r) * interval '1 day'
        order by o.ended_at limit 1000 for update skip locked)
$$;

-- Events → waiting notices, each event once, by one reader at a time: of an order whom its webhooks concern, of an alert those
-- that are for everybody. What is old is forgotten on the way.
create function registre.plan_notices(p_now timestamptz default null) returns integer
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_cursor text;
    v_last text;
    v_made integer := 0;
    v_more integer;
begin
    perform registre.forget_notices(v_now);
    if not exists (select from registre.webhooks w where w.removed_at is null) then return 0; end if;
    if not pg_try_advisory_xact_lock(7305811004) then return 0; end if;
    select r.cursor into v_cursor from registre.notices_read r;
    for v_round in 1..20 loop
        with seen as (select * from registre.events_after(v_cursor, 500) with ordinality as e (cursor, at, kind, job_id, data, n)),
        made as (
            insert into registre.notices (webhook_id, event_id, kind, body, created_at, next_at)
            select w.id, split_part(s.cursor, '-', 3)::bigint, s.kind,
                jsonb_build_object('at', s.at, 'extraction_id', q.id, 'document_source', q.document_source::text,
                    'document_number', q.document_number::text, 'client', q.client, 'batch_id', q.batch_id, 'status', s.data->>'status',
                    'path', s.data->>'path', 'error_kind', s.data->>'error_kind', 'message', s.data->>'message'), v_now, v_now
            from seen s
            join public.extraction_queue q on q.id = s.job_id
            join registre.webhooks w on w.removed_at is null and s.kind = any (w.kinds)
                and (w.client is null or w.client = q.client) and (w.batch_id is null or w.batch_id = q.batch_id)
            union all
            select w.id, split_part(s.cursor, '-', 3)::bigint, s.kind, s.data || jsonb_build_object('at', s.at), v_now, v_now
            from seen s
            join registre.webhooks w on w.removed_at is null and s.kind = any (w.kinds) and w.client is null and w.batch_id is null
            where s.kind in ('alert.opened', 'alert.closed')
            on conflict (webhook_id, event_id) do nothing returning 1)
        select (select s.cursor from seen s order by s.n desc limit 1), (select count(*) from made) into v_last, v_more;
        v_made := v_made + v_more;
        exit when v_last is null;
        v_cursor := v_last;
    end loop;
    update registre.notices_read set cursor = v_cursor;
    return v_made;
end $$;

create function registre.due_notices(p_limit integer default 100, p_now timestamptz default null) returns table (id uuid)
language sql stable as $$
    select n.id from registre.notices n where n.state = 'waiting' and n.next_at <= registre.instant(p_now) order by n.next_at limit p_limit
$$;

-- Nobody else sends it for so long; counts the attempt. No row when it is not due any more.
create function registre.claim_notice(p_id uuid, p_hold_seconds double precision, p_now timestamptz default null)
returns table (id uuid, url text, secret text, kind text, body jsonb, created_at timestamptz, attempts integer)
language sql as $$
    update registre.notices n
    set attempts = n.attempts + 1, next_at = registre.instant(p_now) + make_interval(secs => p_hold_seconds)
    from registre.webhooks w
    where n.id = p_id and w.id = n.webhook_id and n.state = 'waiting' and n.next_at <= registre.instant(p_now)
    returning n.id, w.url, w.secret, n.kind, n.body, n.created_at, n.attempts
$$;

-- How a claimed one went. p_again_seconds null: it is over, delivered (p_error null) or given up.
create function registre.note_notice(p_id uuid, p_status integer, p_error text, p_again_seconds double precision,
                                     p_now timestamptz default null) returns void
language sql as $$
    update registre.notices n
    set status = p_status, error = p_error,
        state = case when p_error is null then 'delivered' when p_again_seconds is null then 'given up' else 'waiting' end,
        next_at = registre.instant(p_now) + make_interval(secs => p_again_seconds),
        ended_at = case when p_error is null or p_again_seconds is null then registre.instant(p_now) end
    where n.id = p_id and n.state = 'waiting'
$$;

create function registre.list_notices(p_webhook uuid, p_limit integer default 100)
returns table (id uuid, kind text, state text, attempts integer, created_at timestamptz, next_at timestamptz, status integer, error text,
               ended_at timestamptz)
language sql stable as $$
    select n.id, n.kind, n.state, n.attempts, n.created_at, n.next_at, n.status, n.error, n.ended_at
    from registre.notices n where n.webhook_id = p_webhook order by n.created_at desc, n.id desc limit p_limit
$$;
