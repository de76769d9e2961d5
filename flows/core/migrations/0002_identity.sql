-- Customer ids outlive every rebuild, so they are kept in tables of their own and not in models.
create sequence identity.customer_id_numbers;

create table identity.customer_ids (
    customer_id text primary key,
    created_run_id bigint not null,
    created_at timestamptz not null default now(),
    merged_into text references identity.customer_ids (customer_id),
    retired_at timestamptz,
    constraint a_merged_id_is_retired check (merged_into is null or retired_at is not null),
    constraint an_id_is_not_merged_into_itself check (merged_into <> customer_id)
);
comment on table identity.customer_ids is 'Every customer id ever given out; a retired one says which id stands for it now.';
comment on column identity.customer_ids.merged_into is 'The id in use that stands for this one; null while the id is in use, or when all its records are gone.';

create table identity.customer_crosswalk (
    crosswalk_id bigint generated always as identity primary key,
    customer_id text not null references identity.customer_ids (customer_id),
    source_system text not null,
    entity text not null,
    source_key text not null,
    method text not null check (method in ('key', 'rule', 'model', 'steward', 'singleton')),
    rule text,
    probability numeric(6, 5) not null,
    valid_from timestamptz not null default now(),
    valid_to timestamptz,
    is_current boolean generated always as (valid_to is null) stored,
    version bigint not null
);
create unique index customer_crosswalk_current
on identity.customer_crosswalk (source_system, entity, source_key) where valid_to is null;
create index customer_crosswalk_by_record
on identity.customer_crosswalk (source_system, entity, source_key);
create index customer_crosswalk_by_customer on identity.customer_crosswalk (customer_id);
create index customer_crosswalk_by_version on identity.customer_crosswalk (version);
comment on table identity.customer_crosswalk is 'Which source record belongs to which customer, by what method, from when to when; rows are closed, never removed.';

-- What an incremental mart replaced, so that marts built from it later in the run, or in the run
-- after a failure, replace what depends on it. Kept per slot until the slot has caught up.
create table ops.touched_keys (
    slot text not null references ops.slots (slot),
    mart text not null,
    kind text not null,
    source_system text not null default '',
    key text not null,
    since_version bigint not null
);
create index touched_keys_by_kind on ops.touched_keys (slot, kind);
comment on column ops.touched_keys.since_version is 'The version the slot had when the row was noted; once the slot has moved on, the row is of no use.';
comment on table ops.touched_keys is 'Keys of customers, orders and quotes whose rows in a mart were replaced since the slot last caught up.';
