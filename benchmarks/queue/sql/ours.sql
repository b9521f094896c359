-- Adds %(rows)s waiting jobs of 20 clients of very different sizes, three sources and one level of urgency (0), as
-- submit_jobs would have left them, but without its triggers: a million rows in seconds.
set local session_replication_role = replica;
with wanted as materialized (
    select i, 'client-' || floor(20 * power((hashint8(i)::bigint + 2147483648) / 4294967296.0, 2))::integer as client
    from generate_series((select coalesce(max(id), 0) from registre.events) + 1,
                         (select coalesce(max(id), 0) from registre.events) + %(rows)s) as i
), placed as (
    select w.i, w.client, coalesce(c.last_position, 0) + row_number() over (partition by w.client order by w.i) as position
    from wanted w left join registre.clients c on c.name = w.client
), orders as (
    insert into public.extraction_queue (id, document_source, document_number, document_number_normalized, circonscription_fonciere,
        cadastre, designation_secondaire, acte_type, client, identity_key, lane, position, status, created_at, updated_at)
    select registre.new_id(), (array['acte', 'index', 'plan_cadastraux'])[p.i %% 3 + 1], p.i::text, p.i::text, 'Montréal', 'Cadastre du Québec', '', 'Acte',
        p.client, 'fill|' || p.i, registre.lane(p.client, (array['acte', 'index', 'plan_cadastraux'])[p.i %% 3 + 1], null), p.position, 'En attente', a.at, a.at
    from placed p, lateral (select now() - interval '30 days' + (p.i %% 2500000) * interval '1 second' as at) a
    order by p.i
    returning id, client, position, created_at, document_source, document_number
), facts as (
    insert into registre.events (at, kind, job_id, data)
    select o.created_at, 'job.submitted', o.id,
        jsonb_build_object('status', 'En attente', 'attempts', 0, 'error_kind', null, 'path', null, 'cost_cents', 0, 'source', o.document_source, 'number', o.document_number, 'client', o.client)
    from orders o
), counted as (
    insert into registre.job_counts (status, jobs) select 'En attente', count(*) from orders
)
insert into registre.clients as c (name, last_position)
select o.client, max(o.position) from orders o group by o.client
on conflict (name) do update set last_position = excluded.last_position;
