-- The registry's site as it was seen: forms that are accepted or drifted, and the sentences it says.

-- Of a source, the accepted form that counts now: the one accepted or seen last.
create function registre.accepted_form(p_source text) returns setof registre.forms
language sql stable as $$
    select f.* from registre.forms f where f.source = p_source and f.accepted_at is not null
    order by greatest(f.accepted_at, f.last_seen) desc, f.fingerprint limit 1
$$;

-- A session opened this form. accepted: it may be filled. compare: nothing is written; it is not accepted, and p_difference was not
-- taken from the form that counts now, which is given back. drifted: kept, and its source is frozen in this transaction. The first
-- form of a source is accepted by itself. When an accepted one was last seen is noted once an hour.
create function registre.observe_form(p_source text, p_fingerprint text, p_content jsonb, p_against text default null,
                                      p_difference text default null, p_now timestamptz default null)
returns table (verdict text, against text, content jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    v_now timestamptz := registre.instant(p_now);
    v_accepted registre.forms;
begin
    if not registre.saw_accepted_form(p_source, p_fingerprint, v_now) then
        -- One form at a time from here on: of two first ones only one is accepted by itself.
        perform pg_advisory_xact_lock(7305811013);
        select * into v_accepted from registre.accepted_form(p_source);
        if v_accepted.source is null then
            insert into registre.forms (source, fingerprint, content, first_seen, last_seen, accepted_at)
            values (p_source, p_fingerprint, p_content, v_now, v_now, v_now);
            perform registre.emit('form.accepted', null,
                jsonb_build_object('source', p_source, 'fingerprint', p_fingerprint, 'author', null), v_now);
        elsif not registre.saw_accepted_form(p_source, p_fingerprint, v_now) then
            if p_against is distinct from v_accepted.fingerprint then
                return query select 'compare', v_accepted.fingerprint, v_accepted.content;
                return;
            end if;
            perform registre.keep_drifted_form(p_source, p_fingerprint, p_content, p_difference, v_now);
            return query select 'drifted', null::text, null::jsonb;
            return;
        end if;
    end if;
    return query select 'accepted', null::text, null::jsonb;
end $$;

-- False when it is no accepted one.
create function registre.saw_accepted_form(p_source text, p_fingerprint text, p_now timestamptz) returns boolean
language plpgsql as $$
begin
    update registre.forms f set last_seen = p_now
    where f.source = p_source and f.fingerprint = p_fingerprint and f.accepted_at is not null
      and f.last_seen <= p_now - interval '1 hour';
    return found or exists (select from registre.forms f
        where f.source = p_source and f.fingerprint = p_fingerprint and f.accepted_at is not null);
end $$;

-- Private. The last twenty are enough: a page that is another one at each visit must not fill the table.
create function registre.keep_drifted_form(p_source text, p_fingerprint text, p_content jsonb, p_difference text, p_now timestamptz)
returns void
language plpgsql as $$
begin
    update registre.forms f set last_seen = p_now where f.source = p_source and f.fingerprint = p_fingerprint;
    if not found then
        insert into registre.forms (source, fingerprint, content, first_seen, last_seen)
        values (p_source, p_fingerprint, p_content, p_now, p_now);
        delete from registre.forms f where f.source = p_source and f.accepted_at is null and f.fingerprint not in (
            select k.fingerprint from registre.forms k where k.source = p_source and k.accepted_at is null
            order by k.last_seen desc, k.fingerprint limit 20);
        perform registre.emit('form.drifted', null,
            jsonb_build_object('source', p_source, 'fingerprint', p_fingerprint, 'difference', p_difference), p_now);
    end if;
    perform registre.freeze_source(p_source, p_difference, p_now);
end $$;

-- Of each source the accepted form that counts now, and the one that drifted last.
create function registre.known_forms() returns setof registre.forms
language sql stable as $$
    select distinct on (f.source, f.accepted_at is null) f.* from registre.forms f
    order by f.source, f.accepted_at is null, greatest(f.accepted_at, f.last_seen) desc, f.fingerprint
$$;

-- drifted → accepted, and its source goes on. Says whether it was frozen. Older drifts of the source are settled with it.
create function registre.accept_form(p_source text, p_author text, p_now timestamptz default null) returns boolean
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_fingerprint text;
    v_frozen boolean;
begin
    perform pg_advisory_xact_lock(7305811013);
    update registre.forms f set accepted_at = v_now, accepted_by = p_author
    where f.source = p_source and f.fingerprint = (
        select d.fingerprint from registre.forms d where d.source = p_source and d.accepted_at is null
        order by d.last_seen desc, d.fingerprint limit 1)
    returning f.fingerprint into v_fingerprint;
    if v_fingerprint is null then
        perform registre.refuse('nothing_drifted', case when exists (select from registre.accepted_form(p_source))
            then 'Nothing drifted: the form of ' || p_source || ' was last seen as it is accepted.'
            else 'No form of ' || p_source || ' was seen yet; the first one is accepted by itself.' end);
    end if;
    delete from registre.forms f where f.source = p_source and f.accepted_at is null;
    perform registre.emit('form.accepted', null,
        jsonb_build_object('source', p_source, 'fingerprint', v_fingerprint, 'author', p_author), v_now);
    delete from registre.frozen f where f.source = p_source;
    v_frozen := found;
    if v_frozen then
        perform registre.emit('gate.resumed', null,
            jsonb_build_object('scope', 'source', 'name', p_source, 'author', p_author), v_now);
        perform pg_notify('registre_jobs', '');
    end if;
    return v_frozen;
end $$;

-- Sentences ----------------------------------------------------------------------------------------------------------------------

-- The same as registre/sentences.py: neither case nor accents, and every word with a digit in it is one #.
create function registre.sentence_key(p_text text) returns text
language sql immutable parallel safe as $$
    select regexp_replace(registre.fold(p_text), '[a-z]*[0-9][a-z0-9]*( [a-z]*[0-9][a-z0-9]*)*', '#', 'g')
$$;

-- Kept as it was first said, classed as it was last. A thousand of them: what was not said for longest makes room.
create function registre.note_sentence(p_text text, p_source text, p_kind text, p_needs_review boolean, p_job uuid,
                                       p_now timestamptz default null) returns void
language plpgsql as $$
declare
    v_now timestamptz := registre.instant(p_now);
    v_key text := registre.sentence_key(p_text);
begin
    insert into registre.sentences as s (source, folded, text, kind, needs_review, count, first_seen, last_seen, last_job)
    values (p_source, v_key, left(p_text, 500), p_kind, p_needs_review, 1, v_now, v_now, p_job)
    on conflict (source, folded) do update
    set count = s.count + 1, last_seen = greatest(s.last_seen, v_now), kind = p_kind, needs_review = p_needs_review,
        last_job = coalesce(p_job, s.last_job);
    delete from registre.sentences s where (s.source, s.folded) in (
        select o.source, o.folded from registre.sentences o order by o.last_seen desc, o.source, o.folded offset 1000);
end $$;

create function registre.list_sentences(p_review boolean, p_frequent boolean, p_limit integer)
returns table (text text, source text, kind text, needs_review boolean, count bigint, first_seen timestamptz, last_seen timestamptz,
               last_job uuid)
language sql stable as $$
    select s.text, s.source, s.kind, s.needs_review, s.count, s.first_seen, s.last_seen, s.last_job
    from registre.sentences s where s.needs_review or not p_review
    order by case when p_frequent then s.count end desc nulls last, s.last_seen desc, s.source, s.folded limit p_limit
$$;
