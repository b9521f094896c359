-- %(rows)s rows as a year of work would have left them, without the triggers: clients of very different sizes, every source and
-- status. What is rare is old, so that reading the newest rows finds it last: 'paper_only', and client 'small-19'. And what is
-- frequent apart does not come together: client 'only-actes' has no plan, and none of its indexes failed.
set local session_replication_role = replica;
insert into public.extraction_queue (document_source, document_number, document_number_normalized, circonscription_fonciere, cadastre,
    client, identity_key, lane, position, status, attemtps, error_kind, error_message, supabase_path, cost_cents, batch_id, created_at,
    updated_at, finished_at)
select s.source, n::text, n::text, 'Montréal', 'Cadastre du Québec', c.client, 'fill|' || n, registre.lane(c.client, s.source, null), n,
    t.status, 1, case when t.status <> 'Erreur' then null when n < 300 then 'paper_only' else 'not_found' end,
    case when t.status = 'Erreur' then 'Aucune information ne correspond aux critères sélectionnés.' end,
    case when t.status = 'Complété' then 'index/' || n || '.pdf' end, case when t.status = 'Complété' then 150 else 0 end,
    case when n %% 100 = 0 then 'b0000000-0000-0000-0000-000000000000'::uuid end,
    now() - (%(rows)s - n) * interval '30 seconds', now(), case when t.status in ('Complété', 'Erreur') then now() end
from generate_series(1, %(rows)s) n
cross join lateral (select case when n %% 10 < 5 then 'big' when n %% 10 < 9 then 'only-actes' when n < 20000 then 'small-19'
    else 'small-' || n %% 300 end) c (client)
cross join lateral (select case when c.client = 'only-actes' and n %% 3 = 2 then 'acte'
    else (array['acte', 'index', 'plan_cadastraux'])[1 + n %% 3] end) s (source)
cross join lateral (select case when n > %(rows)s - 20 then 'En traitement' when c.client = 'only-actes' and s.source = 'index' then 'Complété'
    when n < 400 or n %% 7 = 0 then 'Erreur' when n %% 11 = 0 then 'En attente' else 'Complété' end) t (status);
insert into registre.job_counts (status, jobs) select status, count(*) from public.extraction_queue group by 1;
insert into registre.job_counts (status, jobs) select (array['En attente', 'Complété'])[1 + n %% 2], (n %% 2) * 2 - 1 from generate_series(1, 2000) n
