"""What holds in the database after every call, each as a statement that returns what breaks it.

Invariant: a statement counts for itself, from rows and events; it asks no function of ours but the one it checks.
"""

from __future__ import annotations

# Each key as it was told last, beside the row.
FOLD = """
select q.id, t.key, t.told, r.held from extraction_queue q
join lateral (
    select distinct on (k.key) k.key, e.data->>k.key as told
    from registre.events e cross join unnest('{status,attempts,error_kind,path,cost_cents}'::text[]) as k (key)
    where e.job_id = q.id and e.data ? k.key order by k.key, e.id desc) t on true
join lateral (values ('status', q.status::text), ('attempts', q.attemtps::text), ('error_kind', q.error_kind),
    ('path', q.supabase_path::text), ('cost_cents', q.cost_cents::text)) as r (key, held) on r.key = t.key
where r.held is distinct from t.told and q.id::text <> all (%s)
"""
BOOKS = """
with bought as (
    select s.scope, s.name, s.period, s.starts_on, sum(p.fee_cents) as cents
    from registre.purchases p
    left join worker_accounts a on a.id::text = p.account_id
    cross join lateral (values
        ('site', '', 'day', p.spent_on), ('site', '', 'month', date_trunc('month', p.spent_on::timestamp)::date),
        ('account', coalesce(a.username, p.account_id), 'day', p.spent_on),
        ('account', coalesce(a.username, p.account_id), 'month', date_trunc('month', p.spent_on::timestamp)::date),
        ('client', p.client, 'day', p.spent_on), ('client', p.client, 'month', date_trunc('month', p.spent_on::timestamp)::date),
        ('batch', p.batch_id::text, 'total', date '1970-01-01')) as s (scope, name, period, starts_on)
    where p.state <> 'void' and s.name is not null group by 1, 2, 3, 4)
select scope, name, period, starts_on, b.cents, u.used_cents
from bought b full join registre.spending u using (scope, name, period, starts_on)
where coalesce(b.cents, 0) <> coalesce(u.used_cents, 0)
"""
COUNTED = """
with counted as (select c.status, c.jobs from registre.count_jobs() c where c.jobs <> 0),
    there as (select q.status::text as status, count(*) as jobs from extraction_queue q group by 1)
select status, c.jobs, t.jobs from counted c full join there t using (status) where c.jobs is distinct from t.jobs
"""
