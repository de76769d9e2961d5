-- Sources behind an API: their calls, and the keys that are known of each object.

create table ops.calls (
    connection text not null,
    called_on date not null,
    run_id bigint not null default 0,
    purpose text not null,
    calls bigint not null,
    bytes bigint not null default 0,
    quota_used bigint,
    quota_limit bigint,
    last_called_at timestamptz not null default clock_timestamp(),
    primary key (connection, called_on, run_id, purpose)
);
comment on table ops.calls is 'How many calls each run made to each system and what for, and what the system said of the day''s quota (run 0: none of ours).';

create table ops.source_objects (
    object_id integer generated always as identity primary key,
    connection text not null,
    object text not null,
    fields jsonb not null default '{}',
    described_at timestamptz,
    counted_at timestamptz,
    unique (connection, object)
);
comment on table ops.source_objects is 'Every object that is read through an API, and the fields it last had.';

create table ops.source_keys (
    object_id integer not null, -- of ops.source_objects; a reference would be checked for every row
    key text not null,
    version text,
    is_live boolean not null default true,
    batch_id bigint not null,
    primary key (object_id, key)
);
comment on table ops.source_keys is 'Every key landed of an object read through an API, with its last version: what the census compares, and what tells news from what overlapping windows bring again.';
comment on column ops.source_keys.version is 'The source''s timestamp; with a digest of the row where it was too fresh to be the last of its second.';
