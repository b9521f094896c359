-- How a row enters the queue: through submit_jobs, or straight into the table by another program.

-- The instant of a row that is being inserted: that of the caller, who may set it, else the clock's.
create function registre.row_instant() returns timestamptz
language plpgsql stable as $$
begin
    return coalesce(nullif(current_setting('registre.now', true), '')::timestamptz, clock_timestamp());
end $$;

-- What follows from the order itself; also when another program corrects one.
create function registre.on_queue_order() returns trigger
language plpgsql as $$
begin
    new.document_number_normalized := registre.normalize_number(new.document_number::text);
    new.identity_key := registre.identity_key(new.document_source::text, new.document_number::text, new.circonscription_fonciere::text,
                                              new.cadastre::text, new.designation_secondaire::text, new.acte_type::text);
    new.lane := registre.lane(new.client, new.document_source::text, new.batch_id);
    return new;
end $$;

-- A row that had ended before there were lanes, put back in the queue by another program: no gate would ever let it through.
-- Asked here and not by the trigger's own condition, which is read anew from its text at each statement.
create function registre.on_queue_status() returns trigger
language plpgsql as $$
begin
    if new.lane is null then new.lane := registre.lane(new.client, new.document_source::text, new.batch_id); end if;
    return new;
end $$;

-- What a gate may hold back together. Two lanes with one number would be closed together, so their rows are looked at again.
create function registre.lane(p_client text, p_source text, p_batch uuid) returns bigint
language plpgsql immutable parallel safe as $$
begin
    return hashtextextended(concat_ws(chr(31), p_client, p_source, p_batch::text), 0);
end $$;

-- One step past the client's own last order, but never before what is being served now: a client that orders 10 000 documents
-- waits behind its own orders, another client's three go in between. Counted in the transaction's own memory, and written once a
-- statement by keep_places: ten thousand versions of one row would cost more than the orders.
create function registre.next_position(p_client text) returns double precision
language plpgsql as $$
declare
    v_name text := 'registre.place_' || md5(p_client);
    v_place double precision := nullif(current_setting(v_name, true), '')::double precision;
begin
    if v_place is null then
        select c.last_position into v_place from registre.clients c where c.name = p_client;
    end if;
    v_place := greatest(v_place, pg_sequence_last_value('registre.served_position'), 1) + 1;
    perform set_config(v_name, v_place::text, true);
    return v_place;
end $$;

-- Never waits: while another transaction that ordered for a client is still open, perhaps for hours, this one's place is not kept,
-- and the client's next orders share its places.
create function registre.keep_places(p_clients text[]) returns void
language plpgsql as $$
begin
    insert into registre.clients as c (name, last_position)
    select n.name, n.place
    from (select u.name, nullif(current_setting('registre.place_' || md5(u.name), true), '')::double precision as place
          from unnest(p_clients) as u (name) order by u.name) n
    where n.place is not null and pg_try_advisory_xact_lock(7305811, hashtext(n.name))
    on conflict (name) do update set last_position = greatest(c.last_position, excluded.last_position);
end $$;

-- Fills what the inserter left out. A row is a job whoever wrote it. One whose document is owned is completed at once.
create function registre.on_queue_insert() returns trigger
language plpgsql as $$
declare
    v_now timestamptz := registre.row_instant();
    v_owned uuid;
begin
    new.status := coalesce(new.status, 'En attente');
    new.attemtps := coalesce(new.attemtps, 0);
    new.max_attempts := coalesce(new.max_attempts, 3);
    new.created_at := coalesce(new.created_at, v_now);
    new.updated_at := coalesce(new.updated_at, new.created_at);
    if new.status = 'En attente' and not new.fresh then
        v_owned := registre.owned(new.identity_key, new.document_source::text, v_now);
        if v_owned is not null then
            select p.bucket || '/' || p.object_key into new.supabase_path from registre.purchases p where p.id = v_owned;
            new.status := 'Complété';
            new.notes := jsonb_build_array(registre.owned_note(v_owned));
            new.finished_at := v_now;
        end if;
    end if;
    if new.status = 'En attente' then
        new.is_due := new.next_attempt_at is null or new.next_attempt_at <= v_now;
        if new.is_due then new.next_attempt_at := null; end if;
        new.position := coalesce(new.position, registre.next_position(new.client));
    else
        -- A row that another program may yet put back in the queue: it has waited long enough.
        new.position := coalesce(new.position, 0);
    end if;
    return new;
end $$;

-- What the requester of a reused document reads.
create function registre.owned_note(p_purchase uuid) returns text
language sql stable as $$
    select 'Already owned since ' || to_char(p.intended_at at time zone 'America/Toronto', 'YYYY-MM-DD HH24:MI') || ': nothing was bought.'
    from registre.purchases p where p.id = p_purchase
$$;

create function registre.after_queue_insert() returns trigger
language plpgsql as $$
begin
    insert into registre.events (at, kind, job_id, data)
    select registre.row_instant(), 'job.submitted', n.id,
           jsonb_build_object('status', n.status, 'attempts', n.attemtps, 'error_kind', n.error_kind, 'path', n.supabase_path,
                              'cost_cents', n.cost_cents, 'source', n.document_source, 'number', n.document_number, 'client', n.client)
    from inserted n;
    insert into registre.events (at, kind, job_id, data)
    select registre.row_instant(), 'job.reused', n.id, jsonb_build_object('path', n.supabase_path)
    from inserted n where n.status = 'Complété' and n.supabase_path is not null and n.identity_key is not null and n.attemtps = 0
      and n.finished_at is not null;
    insert into registre.job_counts (status, jobs) select n.status::text, count(*) from inserted n group by 1;
    perform registre.keep_places(array(select distinct n.client from inserted n where n.status = 'En attente'));
    perform pg_notify('registre_jobs', '');
    perform registre.ring();
    return null;
end $$;

-- Whoever moves or removes a row, the counts follow.
create function registre.after_status_change() returns trigger
language plpgsql as $$
begin
    if old.status is not distinct from new.status then return null; end if;
    insert into registre.job_counts (status, jobs) values (coalesce(old.status::text, ''), -1), (coalesce(new.status::text, ''), 1);
    return null;
end $$;

create function registre.after_queue_truncate() returns trigger
language plpgsql as $$
begin
    delete from registre.job_counts;
    return null;
end $$;

create function registre.after_queue_delete() returns trigger
language plpgsql as $$
begin
    insert into registre.job_counts (status, jobs) select coalesce(d.status::text, ''), -count(*) from deleted d group by 1;
    return null;
end $$;

create trigger registre_order before insert or update of document_source, document_number, circonscription_fonciere, cadastre,
    designation_secondaire, acte_type, client, batch_id on public.extraction_queue
    for each row execute function registre.on_queue_order();
create trigger registre_lane before update of status on public.extraction_queue
    for each row execute function registre.on_queue_status();
-- After registre_order, by its name: it asks for the identity key.
create trigger registre_place before insert on public.extraction_queue
    for each row execute function registre.on_queue_insert();
create trigger registre_submitted after insert on public.extraction_queue
    referencing new table as inserted for each statement execute function registre.after_queue_insert();
create trigger registre_counted after update of status on public.extraction_queue
    for each row execute function registre.after_status_change();
create trigger registre_emptied after truncate on public.extraction_queue
    for each statement execute function registre.after_queue_truncate();
create trigger registre_removed after delete on public.extraction_queue
    referencing old table as deleted for each statement execute function registre.after_queue_delete();

-- An id that begins with the instant (version 7 of RFC 9562): rows of one time lie together in every index that has the id.
create function registre.new_id() returns uuid
language sql as $$
    select (lpad(to_hex(floor(date_part('epoch', clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$;

-- Puts orders in, in the order given. p_orders: [{source, number, circonscription, cadastre, designation, acte_type, client,
-- priority, max_attempts, fresh, not_before, deadline}, …], validated by the caller.
create function registre.submit_jobs(p_orders jsonb, p_batch uuid default null, p_now timestamptz default null) returns table (id uuid)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
begin
    perform set_config('registre.now', coalesce(p_now::text, ''), true);
    -- Through the table's own row type: an adopted table may have an enumeration where ours has text.
    return query
    insert into public.extraction_queue (id, document_source, document_number, circonscription_fonciere, cadastre,
        designation_secondaire, acte_type, client, priority, max_attempts, fresh, next_attempt_at, deadline, batch_id, created_at)
    select registre.new_id(), q.document_source, q.document_number, q.circonscription_fonciere, q.cadastre, q.designation_secondaire, q.acte_type,
        coalesce(q.client, ''), coalesce(q.priority, 0), coalesce(q.max_attempts, 3), coalesce(q.fresh, false), q.next_attempt_at,
        q.deadline, p_batch, v_now + o.n * interval '1 microsecond'  -- listed in the order given
    from jsonb_array_elements(p_orders) with ordinality as o(item, n)
    cross join lateral jsonb_populate_record(null::public.extraction_queue, jsonb_build_object(
        'document_source', o.item->'source', 'document_number', o.item->'number', 'circonscription_fonciere', o.item->'circonscription',
        'cadastre', o.item->'cadastre', 'designation_secondaire', o.item->'designation', 'acte_type', o.item->'acte_type',
        'client', o.item->'client', 'priority', o.item->'priority', 'max_attempts', o.item->'max_attempts',
        'fresh', o.item->'fresh', 'next_attempt_at', o.item->'not_before', 'deadline', o.item->'deadline')) as q
    order by o.n
    returning extraction_queue.id;
end $$;

-- Rows that were there before the triggers: they wait their turn in the order of their creation, ahead of what comes later.
-- Run after every change of the functions; a row once filled is not touched again. What the functions keep beside the rows is
-- counted anew: their former selves may not have kept it. Nobody writes meanwhile: the triggers just made hold the table.
create function registre.adopt_rows() returns void
language plpgsql as $$
begin
    delete from registre.job_counts;
    insert into registre.job_counts (status, jobs)
    select coalesce(q.status::text, ''), count(*) from public.extraction_queue q group by 1;
    lock table registre.purchases in share row exclusive mode;
    delete from registre.spending;
    insert into registre.spending (scope, name, period, starts_on, used_cents)
    select w.scope, w.name, w.period, w.starts_on, sum(p.fee_cents)
    from registre.purchases p
    left join public.worker_accounts a on a.id::text = p.account_id
    cross join lateral registre.spends(p, coalesce(a.username::text, p.account_id)) w
    where p.state <> 'void' group by 1, 2, 3, 4;
    update public.extraction_queue q set status = 'En attente' where q.status is null;
    update public.extraction_queue q set created_at = coalesce(q.updated_at, clock_timestamp()) where q.created_at is null;
    update public.extraction_queue q
    set document_number_normalized = registre.normalize_number(q.document_number::text),
        identity_key = registre.identity_key(q.document_source::text, q.document_number::text, q.circonscription_fonciere::text,
                                             q.cadastre::text, q.designation_secondaire::text, q.acte_type::text)
    where q.identity_key is null;
    update public.extraction_queue q set lane = registre.lane(q.client, q.document_source::text, q.batch_id)
    where q.lane is null and q.status in ('En attente', 'En traitement', 'Erreur');
    update public.extraction_queue q set position = 0 where q.position is null and q.status <> 'En attente';
    with placed as (
        update public.extraction_queue q
        set position = (select s.last_value from registre.served_position s) + w.n
        from (select r.id, row_number() over (partition by r.client order by r.created_at, r.id) as n
              from public.extraction_queue r where r.position is null and r.status = 'En attente') w
        where q.id = w.id
        returning q.client, q.position
    )
    insert into registre.clients as c (name, last_position)
    select p.client, max(p.position) from placed p group by p.client order by p.client
    on conflict (name) do update set last_position = greatest(c.last_position, excluded.last_position);
end $$;
