-- How a row enters the queue: through submit_jobs, or straight into the table by another program.

-- Fills what the inserter left out. A row is a job whoever wrote it.
create function registre.on_queue_insert() returns trigger
language plpgsql as $$
declare
    v_last double precision;
begin
    new.document_number_normalized := registre.normalize_number(new.document_number);
    new.identity_key := registre.identity_key(new.document_source::text, new.document_number, new.circonscription_fonciere,
                                              new.cadastre, new.designation_secondaire, new.acte_type);
    new.status := coalesce(new.status, 'En attente');
    new.attemtps := coalesce(new.attemtps, 0);
    new.max_attempts := coalesce(new.max_attempts, 3);
    new.created_at := coalesce(new.created_at, clock_timestamp());
    new.updated_at := coalesce(new.updated_at, new.created_at);
    if new.status = 'En attente' then
        new.is_due := new.next_attempt_at is null or new.next_attempt_at <= clock_timestamp();
        if new.position is null then
            -- One step past the client's own last order, but never before what is being served now: a client that orders
            -- 10 000 documents waits behind its own orders, another client's three go in between.
            insert into registre.clients (name, last_position)
            values (new.client, (select last_value from registre.served_position) + 1)
            on conflict (name) do update
                set last_position = greatest(registre.clients.last_position, (select last_value from registre.served_position)) + 1
            returning last_position into v_last;
            new.position := v_last;
        end if;
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
create trigger registre_submitted after insert on public.extraction_queue
    referencing new table as inserted for each statement execute function registre.after_queue_insert();

-- Puts orders in, in the order given. p_orders: [{source, number, circonscription, cadastre, designation, acte_type, client,
-- priority, max_attempts}, …], validated by the caller.
create function registre.submit_jobs(p_orders jsonb) returns table (id uuid)
language sql as $$
    insert into public.extraction_queue (document_source, document_number, circonscription_fonciere, cadastre,
        designation_secondaire, acte_type, client, priority, max_attempts)
    select o.item->>'source', o.item->>'number', o.item->>'circonscription', o.item->>'cadastre',
        o.item->>'designation', o.item->>'acte_type', coalesce(o.item->>'client', ''),
        coalesce((o.item->>'priority')::integer, 0), coalesce((o.item->>'max_attempts')::integer, 3)
    from jsonb_array_elements(p_orders) with ordinality as o(item, n)
    order by o.n
    returning extraction_queue.id
$$;
