-- What is known of the registry's site by having seen it: its forms, and its sentences.

-- A form as some session opened it. accepted_at null: it drifted, and nobody has accepted it. accepted_by null: the first one of
-- its source, accepted by itself.
create table registre.forms (
    source text not null,
    fingerprint text not null,
    content jsonb not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    accepted_at timestamptz,
    accepted_by text,
    primary key (source, fingerprint)
);

-- What the site said when it ended or held an attempt; sentences that differ by their numbers only are one.
create table registre.sentences (
    source text not null,
    folded text not null,
    text text not null,
    kind text not null,
    needs_review boolean not null,
    count bigint not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    last_job uuid,
    primary key (source, folded)
);
create index sentences_last_seen on registre.sentences (last_seen desc);
