-- How a row enters the queue: through submit_jobs, or straight into the table by another program.

-- What follows from the order itself; also when another program corrects one.
create function registre.on_queue_order() returns trigger
language plpgsql as $$
begin
    new.document_number_normalized := registre.normalize_number(new.document_number::text);
    new.identity_key := registre.identity_key(new.document_source::text, new.document_number::text, new.circonscription_fonciere::text,
                                              new.cadastre::text, new.designation_secondaire::text, new.acte_type::text);
    return new;
end $$;

-- One step past the client's own last order, but never before what is being served now: a client that orders 10 000 documents
-- waits behind its own orders, another client's three go in between. Never waits: while another transaction that ordered for
-- this client is still open, perhaps for hours, the steps of this one are counted apart, from the client's last known place.
create function registre.next_position(p_client text) returns double precision
language plpgsql as $$
declare
    v_served double precision := (select s.last_value from registre.served_position s);
    v_steps_name text := 'registre.steps_' || md5(p_client);
    v_steps integer;
    v_position double precision;
begin
    if pg_try_advisory_xact_lock(7305811, hashtext(p_client)) then
        insert into registre.clients as c (name, last_position) values (p_client, v_served + 1)
        on conflict (name) do update set last_position = greatest(c.last_position, v_served) + 1
        returning c.last_position into v_position;
        return v_position;
    end if;
    v_steps := coalesce(nullif(current_setting(v_steps_name, true), ''), '0')::integer + 1;
    perform set_config(v_steps_name, v_steps::text, true);
    select greatest(c.last_position, v_served) into v_position from registre.clients c where c.name = p_client;
    return coalesce(v_position, v_served) + v_steps;
end $$;

-- Fills what the inserter left out. A row is a job whoever wrote it.
create function registre.on_queue_insert() returns trigger
language plpgsql as $$
begin
    new.status := coalesce(new.status, 'En attente');
    new.attemtps := coalesce(new.attemtps, 0);
    new.max_attempts := coalesce(new.max_attempts, 3);
    new.created_at := coalesce(new.created_at, clock_timestamp());
    new.updated_at := coalesce(new.updated_at, new.created_at);
    if new.status = 'En attente' then
        new.is_due := new.next_attempt_at is null or new.next_attempt_at <= clock_timestamp();
        new.position := coalesce(new.position, registre.next_position(new.client));
    else
        -- A row that another program may yet put back in the queue: it has waited long enough.
        new.position := coalesce(new.position, 0);
    end if;
    return new;
end $$;

create function registre.after_queue_insert() returns trigger
language plpgsql as $$
begin
    insert into registre.events (at, kind, job_id, data)
    select clock_timestamp(), 'job.submitted', n.id,
           jsonb_build_object('status', n.status, 'source', n.document_source, 'number', n.document_number, 'client', n.client)
    from inserted n;
    perform pg_notify('registre_jobs', '');
    perform pg_notify('registre_events', '');
    return null;
end $$;

create trigger registre_fill before insert on public.extraction_queue
    for each row execute function registre.on_queue_insert();
create trigger registre_order before insert or update of document_source, document_number, circonscription_fonciere, cadastre,
    designation_secondaire, acte_type on public.extraction_queue
    for each row execute function registre.on_queue_order();
create trigger registre_submitted after insert on public.extraction_queue
    referencing new table as inserted for each statement execute function registre.after_queue_insert();

-- Puts orders in, in the order given. p_orders: [{source, number, circonscription, cadastre, designation, acte_type, client,
-- priority, max_attempts}, …], validated by the caller.
create function registre.submit_jobs(p_orders jsonb) returns table (id uuid)
language plpgsql as $$
#variable_conflict use_column
begin
    -- Through the table's own row type: an adopted table may have an enumeration where ours has text.
    return query
    insert into public.extraction_queue (document_source, document_number, circonscription_fonciere, cadastre,
        designation_secondaire, acte_type, client, priority, max_attempts)
    select q.document_source, q.document_number, q.circonscription_fonciere, q.cadastre, q.designation_secondaire, q.acte_type,
        coalesce(q.client, ''), coalesce(q.priority, 0), coalesce(q.max_attempts, 3)
    from jsonb_array_elements(p_orders) with ordinality as o(item, n)
    cross join lateral jsonb_populate_record(null::public.extraction_queue, jsonb_build_object(
        'document_source', o.item->'source', 'document_number', o.item->'number', 'circonscription_fonciere', o.item->'circonscription',
        'cadastre', o.item->'cadastre', 'designation_secondaire', o.item->'designation', 'acte_type', o.item->'acte_type',
        'client', o.item->'client', 'priority', o.item->'priority', 'max_attempts', o.item->'max_attempts')) as q
    order by o.n
    returning extraction_queue.id;
end $$;

-- Rows that were there before the triggers: they wait their turn in the order of their creation, ahead of what comes later.
-- Run after every change of the functions; a row once filled is not touched again.
create function registre.adopt_rows() returns void
language plpgsql as $$
begin
    update public.extraction_queue q
    set document_number_normalized = registre.normalize_number(q.document_number::text),
        identity_key = registre.identity_key(q.document_source::text, q.document_number::text, q.circonscription_fonciere::text,
                                             q.cadastre::text, q.designation_secondaire::text, q.acte_type::text)
    where q.identity_key is null;
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
