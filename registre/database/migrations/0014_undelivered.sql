-- How often a bucket did not take a document that is safe on its host, and when last; the sentence is in `reason`.

alter table registre.purchases
    add column if not exists delivery_failures integer not null default 0,
    add column if not exists delivery_failed_at timestamptz;
