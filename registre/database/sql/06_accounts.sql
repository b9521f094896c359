-- One live session per account, everywhere: an account is leased by one worker's boot, like a job.

-- Either p_password or p_sealed: what comes sealed leaves no plain one behind, nor the other way round.
create function registre.add_account(p_username text, p_password text, p_author text default null, p_now timestamptz default null,
                                     p_sealed text default null)
returns table (id text, created boolean)
language plpgsql as $$
#variable_conflict use_column
begin
    -- Not by on conflict: an adopted table may hold its usernames without a unique index. One addition at a time instead.
    perform pg_advisory_xact_lock(7305811002);
    -- A new secret for a known account also lifts what its old secret had caused.
    return query
    update public.worker_accounts a
    set password = p_password, password_sealed = p_sealed, is_active = true, failure_count = 0, set_aside_reason = null, set_aside_until = null,
        updated_at = registre.instant(p_now)
    where a.username = p_username
    returning a.id::text, false;
    if found then
        -- Who holds it knows the old one only, and a session that expired would type that: so it is signed in anew.
        insert into registre.sign_in_tests as t (account_id, asked_at, asked_by)
        select a.id::text, registre.instant(p_now), coalesce(p_author, 'whoever gave the password') from public.worker_accounts a
        where a.username = p_username and a.lease_until > registre.instant(p_now)
        on conflict (account_id) do update
        set asked_at = excluded.asked_at, asked_by = excluded.asked_by, token = null, began_at = null, ended_at = null, outcome = null,
            message = null, seconds = null;
        perform pg_notify('registre_jobs', 'account');
    else
        return query
        insert into public.worker_accounts as a (username, password, password_sealed) values (p_username, p_password, p_sealed)
        returning a.id::text, true;
    end if;
    perform registre.emit('account.added', null, jsonb_strip_nulls(jsonb_build_object('username', p_username, 'author', p_author)),
        registre.instant(p_now));
    perform pg_notify('registre_jobs', '');
end $$;

create function registre.list_accounts(p_now timestamptz default null)
returns table (id text, username text, is_active boolean, state text, reason text, until timestamptz, lease_owner text,
               last_used timestamptz, failure_count integer, sealed_with text, test_asked_at timestamptz, test_asked_by text,
               test_began_at timestamptz, test_ended_at timestamptz, test_outcome text, test_message text, test_seconds double precision)
language sql stable as $$
    select a.id::text, a.username, coalesce(a.is_active, true),
        case when not coalesce(a.is_active, true) then 'inactive'
             when a.set_aside_reason is not null and (a.set_aside_until is null or a.set_aside_until > registre.instant(p_now)) then 'set aside'
             when a.lease_until > registre.instant(p_now) then 'signed in'
             else 'free' end,
        a.set_aside_reason, a.set_aside_until, a.lease_owner, a.last_used, coalesce(a.failure_count, 0),
        case when coalesce(a.password, '') = '' then split_part(a.password_sealed, ':', 2) end,
        t.asked_at, t.asked_by, t.began_at, t.ended_at, t.outcome, t.message, t.seconds
    from public.worker_accounts a left join registre.sign_in_tests t on t.account_id = a.id::text order by a.username
$$;

-- free → leased. First those whose sign-in is to be tested, then the least recently used, so that work spreads over all accounts.
-- p_keys: the fingerprints of the keys the host has; an account sealed with another is left to the hosts that can open it.
create function registre.claim_accounts(p_owner text, p_limit integer, p_visibility_seconds double precision,
                                        p_now timestamptz default null, p_keys text[] default null)
returns table (id text, username text, password text, sealed text, token bigint, until timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
begin
    if exists (select from registre.hosts h where h.host = split_part(p_owner, '/', 1) and h.boot <> split_part(p_owner, '/', 2)) then
        perform registre.refuse('displaced', 'Another worker was started under the name ' || split_part(p_owner, '/', 1)
            || '; this one takes nothing more and can be stopped.');
    end if;
    return query
    with claimed as (
        update public.worker_accounts a
        set lease_owner = p_owner, lease_token = a.lease_token + 1,
            lease_until = v_now + make_interval(secs => p_visibility_seconds), updated_at = v_now
        where a.id in (
            select c.id from public.worker_accounts c
            where coalesce(c.is_active, true)
              and (c.set_aside_reason is null or c.set_aside_until <= v_now)
              and (c.lease_until is null or c.lease_until <= v_now)
              and (p_keys is null or coalesce(c.password, '') <> '' or c.password_sealed is null
                   or split_part(c.password_sealed, ':', 2) = any (p_keys))
            order by not exists (select from registre.sign_in_tests t where t.account_id = c.id::text and t.ended_at is null),
                c.last_used nulls first, c.username
            limit p_limit for update skip locked)
        returning a.id::text as id, a.username::text as username, a.password::text as password, a.password_sealed as sealed,
            a.lease_token as token, a.lease_until as until),
    taken as (
        update registre.sign_in_tests t set token = c.token, began_at = v_now from claimed c where t.account_id = c.id and t.ended_at is null)
    select c.id, c.username, c.password, c.sealed, c.token, c.until from claimed c;
end $$;

-- leased → free. A token that is no longer the account's changes nothing.
create function registre.release_account(p_account text, p_token bigint) returns boolean
language sql as $$
    with freed as (
        update public.worker_accounts set lease_owner = null, lease_until = null
        where id::text = p_account and lease_token = p_token returning 1)
    select exists (select from freed)
$$;

-- leased → set aside, on every host at once. p_seconds null: until a person mends it.
create function registre.set_account_aside(p_account text, p_token bigint, p_reason text, p_seconds double precision default null,
                                           p_now timestamptz default null) returns boolean
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_username text;
begin
    update public.worker_accounts
    set set_aside_reason = p_reason, set_aside_until = v_now + make_interval(secs => p_seconds),
        failure_count = coalesce(failure_count, 0) + 1, lease_owner = null, lease_until = null, updated_at = v_now
    where id::text = p_account and lease_token = p_token
    returning username into v_username;
    if v_username is null then return false; end if;
    perform registre.note_sign_in(p_account, p_token, 'refused', p_reason, null, v_now);
    perform registre.emit('account.set_aside', null, jsonb_build_object('username', v_username, 'reason', p_reason), v_now);
    return true;
end $$;

-- set aside → free, by a person who has mended what the reason says. False when it was not set aside.
create function registre.restore_account(p_username text, p_author text, p_now timestamptz default null) returns boolean
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
begin
    if not exists (select from public.worker_accounts a where a.username = p_username) then
        perform registre.refuse('not_found', 'No account has this name.');
    end if;
    update public.worker_accounts a
    set set_aside_reason = null, set_aside_until = null, failure_count = 0, updated_at = v_now
    where a.username = p_username and a.set_aside_reason is not null and (a.set_aside_until is null or a.set_aside_until > v_now);
    if not found then return false; end if;
    perform registre.emit('account.restored', null, jsonb_build_object('username', p_username, 'author', p_author), v_now);
    perform pg_notify('registre_jobs', '');
    return true;
end $$;
