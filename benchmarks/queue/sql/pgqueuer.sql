-- Adds %(rows)s waiting jobs as enqueue would have left them, without its notice.
set local session_replication_role = replica;
with jobs as (
    insert into pgqueuer (priority, status, entrypoint, payload)
    select 0, 'queued', 'document', convert_to('{"number": 0}', 'UTF8') from generate_series(1, %(rows)s)
    returning id
)
insert into pgqueuer_log (job_id, status, entrypoint, priority) select id, 'queued', 'document', 0 from jobs;
