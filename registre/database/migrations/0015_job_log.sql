-- What workers logged about an order; bounded by lines of an order and by age, so that it is no second story.

create table registre.job_log (
    id bigint generated always as identity primary key,
    job_id uuid not null,
    at timestamptz not null,
    host text not null,
    level text not null,
    line text not null
);
create index job_log_of_job on registre.job_log (job_id, id);
