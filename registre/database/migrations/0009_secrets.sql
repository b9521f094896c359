-- Passwords sealed with an operator's key. `password` is then empty; one that another program writes there later is the newer one.

alter table public.worker_accounts add column if not exists password_sealed text;
