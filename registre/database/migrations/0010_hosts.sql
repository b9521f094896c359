-- A host's name belongs to a home, by the id in its spool, for as long as its worker renews; and one host does what is done for all.

alter table registre.hosts
    add column id text,
    add column until timestamptz,
    add column stopped_at timestamptz,
    add column facts jsonb not null default '{}';
create index hosts_id on registre.hosts (id);

create table registre.upkeep (
    one boolean primary key default true check (one),
    owner text not null,
    until timestamptz not null
);
