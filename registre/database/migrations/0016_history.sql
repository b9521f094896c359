-- How long the story of an order that has ended is kept: for ever, unless an operator says otherwise. Its row and its ledger stay.

alter table registre.rules
    add column history_days integer check (history_days between 31 and 36500);
