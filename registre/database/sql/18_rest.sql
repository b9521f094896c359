-- The one door for those who reach this database by Supabase's HTTP API (PostgREST). In `public`, which is exposed by itself.

-- Calls registre.<p_function> with the members of p_arguments by name, in one transaction, as the direct transport does. One value
-- is the answer, whatever number of rows it holds: PostgREST cuts an answer of rows off at 1000 without a word. `types` tells the
-- type of each column, as JSON has but few.
create or replace function public.registre_call(p_function text, p_arguments jsonb default '{}') returns json
language plpgsql set statement_timeout to '60s' as $$
declare
    v_function record;
    v_columns text;
    v_arguments text;
    v_known bigint;
    v_types json;
    v_rows json;
begin
    select p.oid, p.proname, p.proargnames, p.proargmodes, p.proallargtypes, p.proargtypes, p.pronargs, p.prorettype, t.typrelid
    into v_function
    from pg_proc p join pg_type t on t.oid = p.prorettype
    where p.pronamespace = 'registre'::regnamespace and p.proname = p_function;

    select string_agg(format('%I %s', n.name, format_type(v_function.proargtypes[n.i - 1], null)), ', '),
        string_agg(format('%1$I => a.%1$I', n.name), ', '), count(*)
    into v_columns, v_arguments, v_known
    from unnest(v_function.proargnames) with ordinality as n (name, i)
    where n.i <= v_function.pronargs and p_arguments ? n.name;

    if v_function.oid is null or v_known <> (select count(*) from jsonb_object_keys(p_arguments)) then
        raise exception using errcode = 'undefined_function', message = format('function registre.%s(%s) does not exist', p_function,
            (select string_agg(k, ', ') from jsonb_object_keys(p_arguments) as k));
    end if;

    select coalesce(
        (select json_object_agg(n.name, format_type(v_function.proallargtypes[n.i], null))
         from unnest(v_function.proargnames) with ordinality as n (name, i) where v_function.proargmodes[n.i] in ('o', 'b', 't')),
        (select json_object_agg(a.attname, format_type(a.atttypid, null))
         from pg_attribute a where a.attrelid = nullif(v_function.typrelid, 0) and a.attnum > 0 and not a.attisdropped),
        json_build_object(p_function, format_type(v_function.prorettype, null)))
    into v_types;

    execute format('select coalesce(json_agg(registre_row), ''[]'') from (select %2$I.* from %1$s lateral registre.%2$I(%3$s) as %2$I) registre_row',
        case when v_known > 0 then format('jsonb_to_record($1) as a (%s),', v_columns) else '(select) as a,' end,
        p_function, coalesce(v_arguments, ''))
    into v_rows using p_arguments;
    return json_build_object('types', v_types, 'rows', v_rows);
end $$;

-- What is applied, for those who cannot look into the table.
create function registre.applied() returns table (name text, checksum text)
language sql stable as $$ select m.name, m.checksum from registre.migrations m order by m.name $$;

create function registre.server_version() returns text
language sql stable as $$ select current_setting('server_version') $$;
