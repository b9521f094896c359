-- Deliveries that fail. None is ever given up; from the third failure on people are told.

-- secured → secured: whoever delivers says why it could not. Nothing for a purchase that is in another state by now.
create function registre.note_undelivered(p_purchase uuid, p_reason text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_purchase registre.purchases;
begin
    update registre.purchases
    set delivery_failures = delivery_failures + 1, delivery_failed_at = v_now, reason = p_reason
    where id = p_purchase and state = 'secured'
    returning * into v_purchase;
    if v_purchase.delivery_failures = 3 then
        perform registre.emit('purchase.undelivered', v_purchase.job_id, jsonb_build_object('purchase', p_purchase,
            'host', v_purchase.host, 'failures', v_purchase.delivery_failures, 'reason', p_reason), v_now);
    end if;
end $$;

-- Those that people are told of, the longest first.
create function registre.failing_deliveries(p_limit integer default 100)
returns table (purchase_id uuid, job_id uuid, host text, source text, number text, secured_at timestamptz, failures integer,
               failed_at timestamptz, reason text)
language sql stable as $$
    select p.id, p.job_id, p.host, p.source, q.document_number::text, p.secured_at, p.delivery_failures, p.delivery_failed_at, p.reason
    from registre.purchases p join public.extraction_queue q on q.id = p.job_id
    where p.state = 'secured' and p.delivery_failures >= 3
    order by p.secured_at, p.id limit p_limit
$$;
