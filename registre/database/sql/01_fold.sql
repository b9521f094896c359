-- Normalised numbers and identity keys: the same results as registre/document.py, for rows other programs insert.

create function registre.refuse(p_code text, p_message text) returns void
language plpgsql as $$
begin
    -- P0001 with a stable code in the hint: the only error PostgREST and psycopg both carry unharmed.
    raise exception using errcode = 'P0001', message = p_message, hint = p_code;
end $$;

create function registre.instant(p_now timestamptz) returns timestamptz
language sql as $$ select coalesce(p_now, clock_timestamp()) $$;

-- Collation "C": upper and lower touch a-z alone, as in Python, whatever the database's own collation makes of ß or ı.
create function registre.normalize_number(p_text text) returns text
language sql immutable parallel safe as $$
    select upper(translate(regexp_replace(coalesce(p_text, ''),
        '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]', '', 'g'),
        U&'\2010\2011\2012\2013\2014\2212', '------') collate "C")
$$;

create function registre.fold(p_text text) returns text
language sql immutable parallel safe as $$
    select btrim(regexp_replace(
        lower(regexp_replace(
            normalize(replace(replace(coalesce(p_text, ''), U&'\0152', 'OE'), U&'\0153', 'oe'), NFKD),
            '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g') collate "C"),
        '[^a-z0-9]+', ' ', 'g'))
$$;

create function registre.is_renovated_lot(p_source text, p_number text) returns boolean
language sql immutable parallel safe as $$
    select p_source <> 'acte' and p_number ~ '^[0-9]+$' and length(ltrim(p_number, '0')) > 6  -- 1 000 000 and above
$$;

-- In plpgsql, which keeps its plans: in SQL it would be planned at each call, longer than it runs.
create function registre.identity_key(
    p_source text, p_number text, p_circonscription text, p_cadastre text, p_designation text, p_acte_type text
) returns text
language plpgsql immutable parallel safe as $$
declare
    v_number text := registre.normalize_number(p_number);
    v_renovated boolean := registre.is_renovated_lot(p_source, v_number);
begin
    return concat_ws('|', p_source, v_number,
        case when v_renovated then '' else registre.fold(p_circonscription) end,
        case when v_renovated then '000001' when p_source = 'acte' then '' else registre.fold(p_cadastre) end,
        case when v_renovated or p_source = 'acte' then '' else registre.fold(p_designation) end,
        case when p_source = 'acte' then registre.fold(p_acte_type) else '' end);
end $$;
