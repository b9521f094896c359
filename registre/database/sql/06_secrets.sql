-- What is stored of secrets, for sealing it; given to nobody who does not hold the database's own rights.

create function registre.stored_secrets()
returns table (kind text, id text, name text, plain text, sealed text)
language sql stable as $$
    select 'account', a.id::text, 'account ' || a.username, nullif(a.password::text, ''),
        case when coalesce(a.password, '') = '' then a.password_sealed end
    from public.worker_accounts a
    union all
    select 'webhook', w.id::text, 'webhook ' || w.name, case when w.secret not like 'sealed:%' then w.secret end,
        case when w.secret like 'sealed:%' then w.secret end
    from registre.webhooks w
    order by 3
$$;

-- Plain or sealed → sealed. False when it is no longer what it was.
create function registre.seal_secret(p_kind text, p_id text, p_was text, p_sealed text) returns boolean
language plpgsql as $$
begin
    if p_kind = 'account' then
        update public.worker_accounts a set password = '', password_sealed = p_sealed
        where a.id::text = p_id and coalesce(nullif(a.password::text, ''), a.password_sealed) = p_was;
    else
        update registre.webhooks w set secret = p_sealed where w.id::text = p_id and w.secret = p_was;
    end if;
    return found;
end $$;
