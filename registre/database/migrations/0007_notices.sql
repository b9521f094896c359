-- What a webhook was told is kept for a while, and no longer.

alter table registre.rules
    add column if not exists notice_days integer not null default 30 check (notice_days between 1 and 3650);

create index notices_ended on registre.notices (ended_at) where ended_at is not null;
