-- Adds %(rows)s waiting jobs as batch_defer would have left them, without its notices.
set local session_replication_role = replica;
with jobs as (
    insert into procrastinate_jobs (queue_name, task_name, priority, args)
    select 'default', 'document', 0, '{"number": 0}' from generate_series(1, %(rows)s)
    returning id
)
insert into procrastinate_events (job_id, type) select id, 'deferred' from jobs;
