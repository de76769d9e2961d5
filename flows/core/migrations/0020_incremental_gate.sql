-- What lets the marts gate judge only what was written since it last judged the slot.
create table ops.rewritten_keys (
    slot text not null references ops.slots (slot),
    mart text not null,
    key_column text not null,
    source_system text,
    key text not null
);
create index rewritten_keys_by_mart on ops.rewritten_keys (slot, mart);
comment on table ops.rewritten_keys is 'Which keys of an incremental mart had their rows replaced since the gate last judged the slot; noted in the transaction that replaces them.';
comment on column ops.rewritten_keys.key_column is 'The column that the mart is replaced by, beside source_system where that is not null.';

create table ops.judged_marts (
    slot text not null references ops.slots (slot),
    mart text not null,
    storage oid not null,
    rules text not null,
    run_id bigint not null references ops.runs (run_id),
    primary key (slot, mart)
);
comment on table ops.judged_marts is 'What each mart of a slot was when the gate last judged all of the slot; what it found is in ops.verdicts and ops.failures of that run.';
comment on column ops.judged_marts.storage is 'The file of the table (pg_relation_filenode): another one means that the table was built anew.';
comment on column ops.judged_marts.rules is 'Signature of the rules that judged it: changed rules judge everything again.';

create schema judged;
comment on schema judged is 'The rows that the marts gate is judging; empty between runs.';
