-- What people ask of an account in service: that it leaves, or that its sign-in is tested. Nobody calls a worker: the host that
-- holds the account reads it here, on its tick or when the bell says 'account'.

-- A test is a sign-in of the ordinary kind: the host lets the account go between two orders, and whoever claims it next signs it in
-- and says how that went. Asked again before it ended, it is one test.
create function registre.ask_sign_in_test(p_username text, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_account public.worker_accounts;
begin
    select * into v_account from public.worker_accounts a where a.username = p_username for update;
    if not found then perform registre.refuse('not_found', 'No account has this name.'); end if;
    if not coalesce(v_account.is_active, true) then
        perform registre.refuse('inactive', 'This account is inactive; nobody signs it in.');
    end if;
    -- A refused password is not tried a second time: that could lock the account for its owner.
    if v_account.set_aside_reason is not null and (v_account.set_aside_until is null or v_account.set_aside_until > v_now) then
        perform registre.refuse('set_aside', 'This account is set aside, so that nobody signs it in; give it a new password or restore it.');
    end if;
    insert into registre.sign_in_tests as t (account_id, asked_at, asked_by) values (v_account.id::text, v_now, p_author)
    on conflict (account_id) do update
    set asked_at = v_now, asked_by = p_author, token = null, began_at = null, ended_at = null, outcome = null, message = null, seconds = null
    where t.ended_at is not null;
    if not found then return; end if;
    perform registre.emit('account.test_asked', null, jsonb_build_object('username', p_username, 'author', p_author), v_now);
    perform pg_notify('registre_jobs', 'account');
end $$;

-- asked → ended, by the host that signed in under this lease. False when there was no test to answer, as for most sign-ins.
create function registre.note_sign_in(p_account text, p_token bigint, p_outcome text, p_message text, p_seconds double precision,
                                      p_now timestamptz default null) returns boolean
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_username text;
begin
    update registre.sign_in_tests t
    set ended_at = v_now, outcome = p_outcome, message = p_message, seconds = p_seconds
    from public.worker_accounts a
    where t.account_id = p_account and t.token = p_token and t.ended_at is null and a.id::text = t.account_id
    returning a.username into v_username;
    if v_username is null then return false; end if;
    perform registre.emit('account.tested', null, jsonb_strip_nulls(jsonb_build_object('username', v_username, 'outcome', p_outcome,
        'message', p_message, 'seconds', round(p_seconds::numeric, 1))), v_now);
    return true;
end $$;

-- What this owner is to do with accounts it holds: 'leave' those that are set aside, 'test' those whose test nobody has taken up
-- under this lease.
create function registre.account_wishes(p_owner text, p_now timestamptz default null)
returns table (id text, token bigint, wish text)
language sql stable as $$
    select a.id::text, a.lease_token,
        case when a.set_aside_reason is not null and (a.set_aside_until is null or a.set_aside_until > registre.instant(p_now))
             then 'leave' else 'test' end
    from public.worker_accounts a left join registre.sign_in_tests t on t.account_id = a.id::text
    where a.lease_owner = p_owner and a.lease_until > registre.instant(p_now)
      and (a.set_aside_reason is not null and (a.set_aside_until is null or a.set_aside_until > registre.instant(p_now))
           or t.asked_at is not null and t.ended_at is null and t.token is distinct from a.lease_token)
    order by a.username
$$;

-- free or leased → set aside, by a person, on every host. Who holds it lets it go: what is being bought is finished, an order that is
-- not is released. A test that was not made by then is not made any more.
create function registre.put_account_aside(p_username text, p_reason text, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_account public.worker_accounts;
begin
    select * into v_account from public.worker_accounts a where a.username = p_username for update;
    if not found then perform registre.refuse('not_found', 'No account has this name.'); end if;
    if v_account.set_aside_reason is not null and v_account.set_aside_until is null then
        perform registre.refuse('set_aside', 'This account is set aside already.');
    end if;
    update public.worker_accounts a
    set set_aside_reason = p_reason, set_aside_until = null, updated_at = v_now
    where a.username = p_username;
    update registre.sign_in_tests t set ended_at = v_now, outcome = 'unreachable', message = 'The account was set aside before it was tested.'
    where t.account_id = v_account.id::text and t.ended_at is null;
    perform registre.emit('account.set_aside', null,
        jsonb_build_object('username', p_username, 'reason', p_reason, 'author', p_author), v_now);
    perform pg_notify('registre_jobs', 'account');
end $$;
