-- Who may do what, over all that is there: last of the functions, so that none is left out. On Supabase the roles of the public keys
-- (anon, authenticated) may do nothing and the service role everything; on a PostgreSQL without these roles the owner alone may.

do $doors$
declare
    v_role text;
    v_table regclass;
begin
    revoke execute on all functions in schema registre from public;
    revoke execute on function public.registre_call from public;

    if to_regrole('service_role') is not null then
        grant usage on schema registre to service_role;
        grant all on all tables in schema registre to service_role;
        grant all on all sequences in schema registre to service_role;
        grant execute on all functions in schema registre to service_role;
        grant execute on function public.registre_call to service_role;
        grant all on public.extraction_queue, public.worker_accounts, public.worker_status to service_role;
    end if;

    for v_role in select r.rolname from pg_roles r where r.rolname in ('anon', 'authenticated') loop
        execute format('revoke all on schema registre from %I', v_role);
        execute format('revoke all on all tables in schema registre from %I', v_role);
        execute format('revoke all on all sequences in schema registre from %I', v_role);
        execute format('revoke all on all functions in schema registre from %I', v_role);
        execute format('revoke all on function public.registre_call from %I', v_role);
        execute format('revoke all on public.extraction_queue, public.worker_accounts, public.worker_status from %I', v_role);
        -- Without a policy nobody but the owner and those who pass by all policies, as the service role, sees a row.
        for v_table in
            select c.oid from pg_class c
            where c.relkind in ('r', 'p') and not c.relrowsecurity and (c.relnamespace = 'registre'::regnamespace
                or c.oid in ('public.extraction_queue'::regclass, 'public.worker_accounts'::regclass, 'public.worker_status'::regclass))
        loop
            execute format('alter table %s enable row level security', v_table);
        end loop;
    end loop;

    -- PostgREST reads the functions that are there once, and again when it is told to.
    notify pgrst, 'reload schema';
end $doors$;
