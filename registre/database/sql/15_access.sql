-- Who may ask over HTTP, and requests that may come twice.

-- p_only_first: nothing is added, and the answer is false, when there is a key already, revoked or not.
create function registre.add_key(p_prefix text, p_digest text, p_name text, p_role text, p_author text,
                                 p_only_first boolean default false, p_now timestamptz default null) returns boolean
language plpgsql as $$
begin
    if p_only_first then
        perform pg_advisory_xact_lock(7305811003);
        if exists (select from registre.api_keys) then return false; end if;
    end if;
    insert into registre.api_keys (prefix, digest, name, role, author, created_at)
    values (p_prefix, p_digest, p_name, p_role, p_author, registre.instant(p_now));
    perform registre.emit('key.added', null, jsonb_build_object('prefix', p_prefix, 'name', p_name, 'role', p_role, 'author', p_author),
        registre.instant(p_now));
    return true;
end $$;

create function registre.list_keys()
returns table (prefix text, name text, role text, author text, created_at timestamptz, last_used_at timestamptz,
               revoked_at timestamptz, revoked_by text)
language sql stable as $$
    select k.prefix, k.name, k.role, k.author, k.created_at, k.last_used_at, k.revoked_at, k.revoked_by
    from registre.api_keys k order by k.created_at, k.prefix
$$;

-- What a key that is presented is judged by. Its use is noted by note_key, once it has proved to be the key.
create function registre.find_key(p_prefix text) returns table (prefix text, digest text, name text, role text, is_revoked boolean)
language sql stable as $$
    select k.prefix, k.digest, k.name, k.role, k.revoked_at is not null from registre.api_keys k where k.prefix = p_prefix
$$;

-- At most once a minute: a key is used far more often than anybody looks.
create function registre.note_key(p_prefix text, p_now timestamptz default null) returns void
language sql as $$
    update registre.api_keys k set last_used_at = registre.instant(p_now)
    where k.prefix = p_prefix
      and (k.last_used_at is null or k.last_used_at not between registre.instant(p_now) - interval '1 minute' and registre.instant(p_now))
$$;

create function registre.revoke_key(p_prefix text, p_author text, p_now timestamptz default null) returns void
language plpgsql as $$
begin
    update registre.api_keys k set revoked_at = registre.instant(p_now), revoked_by = p_author
    where k.prefix = p_prefix and k.revoked_at is null;
    if not found then
        if exists (select from registre.api_keys k where k.prefix = p_prefix) then
            perform registre.refuse('already_revoked', 'This key is revoked already.');
        end if;
        perform registre.refuse('not_found', 'No key has this prefix.');
    end if;
    perform registre.emit('key.revoked', null, jsonb_build_object('prefix', p_prefix, 'author', p_author), registre.instant(p_now));
end $$;

-- A person signs in with a key. What has expired goes, a hundred at a time.
create function registre.open_web_session(p_digest text, p_prefix text, p_seconds double precision, p_now timestamptz default null) returns void
language sql as $$
    delete from registre.web_sessions w
    where w.digest in (select o.digest from registre.web_sessions o where o.until <= registre.instant(p_now) limit 100 for update skip locked);
    insert into registre.web_sessions (digest, prefix, created_at, until)
    values (p_digest, p_prefix, registre.instant(p_now), registre.instant(p_now) + make_interval(secs => p_seconds))
$$;

-- The key that a session stands for, while the session lasts.
create function registre.find_web_session(p_digest text, p_now timestamptz default null)
returns table (prefix text, digest text, name text, role text, is_revoked boolean)
language sql stable as $$
    select k.prefix, k.digest, k.name, k.role, k.revoked_at is not null
    from registre.web_sessions w join registre.api_keys k on k.prefix = w.prefix
    where w.digest = p_digest and w.until > registre.instant(p_now)
$$;

create function registre.close_web_session(p_digest text) returns void
language sql as $$ delete from registre.web_sessions w where w.digest = p_digest $$;

-- The request under this key if there is one, else a new row for the caller to fill. Of two that come together the second waits
-- here until the first is committed, and then finds it. Private.
create function registre.claim_request(p_sender text, p_key text, p_hash text, p_kept_seconds double precision, p_now timestamptz)
returns table (known registre.requests, is_new boolean)
language plpgsql as $$
declare
    v_known registre.requests;
begin
    delete from registre.requests r
    where r.ctid in (select o.ctid from registre.requests o where o.at < p_now - make_interval(secs => p_kept_seconds) limit 100
                     for update skip locked);
    insert into registre.requests as r (sender, key, request_hash, at) values (p_sender, p_key, p_hash, p_now)
    on conflict (sender, key) do update set request_hash = excluded.request_hash, at = excluded.at, jobs = '{}', batch_id = null, answer = null
        where r.at < p_now - make_interval(secs => p_kept_seconds)
    returning r.* into v_known;
    if found then return query select v_known, true; return; end if;
    select * into v_known from registre.requests r where r.sender = p_sender and r.key = p_key;
    if v_known.request_hash <> p_hash then
        perform registre.refuse('other_request', 'This Idempotency-Key was given before, to another request.');
    end if;
    return query select v_known, false;
end $$;

-- What became of a request, asked before it is judged anew: what was right yesterday may be too late today. No row: it is new.
create function registre.recall_request(p_sender text, p_key text, p_hash text, p_kept_seconds double precision,
                                        p_now timestamptz default null)
returns table (jobs uuid[], batch_id uuid, repeated boolean, answer jsonb)
language plpgsql stable as $$
#variable_conflict use_column
declare
    v_known registre.requests;
begin
    select * into v_known from registre.requests r
    where r.sender = p_sender and r.key = p_key and r.at >= registre.instant(p_now) - make_interval(secs => p_kept_seconds);
    if not found then return; end if;
    if v_known.request_hash <> p_hash then
        perform registre.refuse('other_request', 'This Idempotency-Key was given before, to another request.');
    end if;
    return query select v_known.jobs, v_known.batch_id, true, v_known.answer;
end $$;

-- submit_jobs, once.
create function registre.submit_jobs_once(p_sender text, p_key text, p_hash text, p_kept_seconds double precision, p_orders jsonb,
                                          p_now timestamptz default null)
returns table (jobs uuid[], batch_id uuid, repeated boolean, answer jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    v_claim record;
    v_jobs uuid[];
begin
    select c.is_new, (c.known).jobs, (c.known).batch_id, (c.known).answer into v_claim
    from registre.claim_request(p_sender, p_key, p_hash, p_kept_seconds, registre.instant(p_now)) c;
    if v_claim.is_new then
        v_jobs := array(select s.id from registre.submit_jobs(p_orders, null, p_now) s);
        update registre.requests r set jobs = v_jobs where r.sender = p_sender and r.key = p_key;
        return query select v_jobs, null::uuid, false, null::jsonb;
    else
        return query select v_claim.jobs, v_claim.batch_id, true, v_claim.answer;
    end if;
end $$;

-- submit_batch, once.
create function registre.submit_batch_once(p_sender text, p_key text, p_hash text, p_kept_seconds double precision, p_name text,
                                           p_client text, p_author text, p_cap_cents bigint, p_orders jsonb, p_now timestamptz default null)
returns table (jobs uuid[], batch_id uuid, repeated boolean, answer jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    v_claim record;
    v_batch uuid;
begin
    select c.is_new, (c.known).jobs, (c.known).batch_id, (c.known).answer into v_claim
    from registre.claim_request(p_sender, p_key, p_hash, p_kept_seconds, registre.instant(p_now)) c;
    if v_claim.is_new then
        v_batch := registre.submit_batch(p_name, p_client, p_author, p_cap_cents, p_orders, p_now);
        update registre.requests r set batch_id = v_batch where r.sender = p_sender and r.key = p_key;
        return query select '{}'::uuid[], v_batch, false, null::jsonb;
    else
        return query select v_claim.jobs, v_claim.batch_id, true, v_claim.answer;
    end if;
end $$;

-- What the sender was told; the first telling counts.
create function registre.keep_answer(p_sender text, p_key text, p_answer jsonb) returns void
language sql as $$
    update registre.requests r set answer = p_answer where r.sender = p_sender and r.key = p_key and r.answer is null
$$;
