-- Ids of contacts and products, kept like those of customers, and what assignment must remember.
create sequence identity.contact_id_numbers;

create table identity.contact_ids (
    contact_id text primary key,
    created_run_id bigint not null,
    created_at timestamptz not null default now(),
    merged_into text references identity.contact_ids (contact_id),
    retired_at timestamptz,
    constraint a_merged_id_is_retired check (merged_into is null or retired_at is not null),
    constraint an_id_is_not_merged_into_itself check (merged_into <> contact_id)
);

create table identity.contact_crosswalk (
    crosswalk_id bigint generated always as identity primary key,
    contact_id text not null references identity.contact_ids (contact_id),
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
create unique index contact_crosswalk_current
on identity.contact_crosswalk (source_system, entity, source_key) where valid_to is null;
create index contact_crosswalk_by_record
on identity.contact_crosswalk (source_system, entity, source_key);
create index contact_crosswalk_by_contact on identity.contact_crosswalk (contact_id);
create index contact_crosswalk_by_version on identity.contact_crosswalk (version);

create sequence identity.product_id_numbers;

create table identity.product_ids (
    product_id text primary key,
    created_run_id bigint not null,
    created_at timestamptz not null default now(),
    merged_into text references identity.product_ids (product_id),
    retired_at timestamptz,
    constraint a_merged_id_is_retired check (merged_into is null or retired_at is not null),
    constraint an_id_is_not_merged_into_itself check (merged_into <> product_id)
);

create table identity.product_crosswalk (
    crosswalk_id bigint generated always as identity primary key,
    product_id text not null references identity.product_ids (product_id),
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
create unique index product_crosswalk_current
on identity.product_crosswalk (source_system, entity, source_key) where valid_to is null;
create index product_crosswalk_by_record
on identity.product_crosswalk (source_system, entity, source_key);
create index product_crosswalk_by_product on identity.product_crosswalk (product_id);
create index product_crosswalk_by_version on identity.product_crosswalk (version);

comment on table identity.contact_ids is 'Every contact id ever given out; a retired one says which id stands for it now.';
comment on table identity.contact_crosswalk is 'Which source record belongs to which contact, by what method, from when to when; rows are closed, never removed.';
comment on table identity.product_ids is 'Every product id ever given out; a retired one says which id stands for it now.';
comment on table identity.product_crosswalk is 'Which source record belongs to which product, by what method, from when to when; rows are closed, never removed.';

-- merged_into names the id in use; succeeded_by keeps every step on the way there, so that an id
-- that comes back takes along the ids that once stood for it.
alter table identity.customer_ids add column succeeded_by text references identity.customer_ids;
alter table identity.contact_ids add column succeeded_by text references identity.contact_ids;
alter table identity.product_ids add column succeeded_by text references identity.product_ids;
update identity.customer_ids set succeeded_by = merged_into where merged_into is not null;
create index customer_ids_by_successor on identity.customer_ids (succeeded_by);
create index contact_ids_by_successor on identity.contact_ids (succeeded_by);
create index product_ids_by_successor on identity.product_ids (succeeded_by);
comment on column identity.customer_ids.succeeded_by is 'The id that took over when this one was retired; it may be retired itself.';
comment on column identity.contact_ids.succeeded_by is 'The id that took over when this one was retired; it may be retired itself.';
comment on column identity.product_ids.succeeded_by is 'The id that took over when this one was retired; it may be retired itself.';

create view identity.resolve_customer as
select
    customer_id,
    case when retired_at is null then customer_id else merged_into end as current_customer_id,
    case
        when retired_at is null then 'current' when merged_into is null then 'retired' else 'merged'
    end as state
from identity.customer_ids;
create view identity.resolve_contact as
select
    contact_id,
    case when retired_at is null then contact_id else merged_into end as current_contact_id,
    case
        when retired_at is null then 'current' when merged_into is null then 'retired' else 'merged'
    end as state
from identity.contact_ids;
create view identity.resolve_product as
select
    product_id,
    case when retired_at is null then product_id else merged_into end as current_product_id,
    case
        when retired_at is null then 'current' when merged_into is null then 'retired' else 'merged'
    end as state
from identity.product_ids;
comment on view identity.resolve_customer is 'Every customer id ever given out, the id in use that stands for it, and its state: current, merged, or retired without records.';
comment on view identity.resolve_contact is 'Every contact id ever given out, the id in use that stands for it, and its state: current, merged, or retired without records.';
comment on view identity.resolve_product is 'Every product id ever given out, the id in use that stands for it, and its state: current, merged, or retired without records.';

create function identity.resolve(id text) returns text
language sql stable
return (
    select current_customer_id from identity.resolve_customer where customer_id = id
    union all
    select current_contact_id from identity.resolve_contact where contact_id = id
    union all
    select current_product_id from identity.resolve_product where product_id = id
);
comment on function identity.resolve is 'The id in use that stands for an id of any domain; null for one without records left.';

create table identity.events (
    event_id bigint generated always as identity primary key,
    domain text not null,
    event text not null check (event in ('created', 'merged', 'split', 'restored', 'retired')),
    id text not null,
    other_id text,
    records integer not null,
    run_id bigint not null,
    at timestamptz not null default now()
);
create index events_by_run on identity.events (run_id);
create index events_by_id on identity.events (id);
create index events_by_other_id on identity.events (other_id);
comment on table identity.events is 'What happened to ids: created with records, merged into another, split from another, restored, retired.';
comment on column identity.events.id is 'The id it happened to: of a merge the one retired, of a split the one that stays.';
comment on column identity.events.other_id is 'Of a merge the id the records went to, of a split the one that they went to.';
comment on column identity.events.records is 'Created, restored: records it has now. Merged, split: records that moved. Retired: records it lost.';

create table identity.blocked_links (
    domain text not null,
    left_record text collate "C" not null,
    right_record text collate "C" not null,
    method text not null,
    rule text,
    probability numeric(6, 5) not null,
    reason text not null check (reason in ('keep_apart', 'clash', 'cardinality', 'cohesion')),
    blocked_by text not null,
    run_id bigint not null,
    primary key (domain, left_record, right_record)
);
comment on table identity.blocked_links is 'Links that would have made two clusters one and were not made; people review them.';
comment on column identity.blocked_links.blocked_by is 'The pair that is kept apart, the number that differs, the pair of systems, or the share of supported pairs.';
comment on column identity.blocked_links.run_id is 'The run that found the link blocked as it is now.';

-- What the last assignment was made from, so that the next one finds what changed.
create table identity.used_links (
    domain text not null,
    left_record text collate "C" not null,
    right_record text collate "C" not null,
    method text not null,
    rule text not null,
    probability numeric(6, 5) not null
);
create index used_links_by_left on identity.used_links (left_record);
create index used_links_by_right on identity.used_links (right_record);
comment on table identity.used_links is 'The links and rulings of the last assignment; method support tells a possible link, different a ruling.';

create table identity.used_records (
    domain text not null,
    record text collate "C" not null,
    traits text not null,
    primary key (domain, record)
);
comment on table identity.used_records is 'The records of the last assignment, with what decides whether two may share an id.';

create table identity.homes (
    domain text not null,
    record text collate "C" not null,
    id text not null,
    primary key (domain, record, id)
);
create index homes_by_id on identity.homes (id);
comment on table identity.homes is 'The ids a record came with: where a cluster falls apart, an id goes back to the part that is its home.';

create table identity.assignments (
    domain text primary key,
    fingerprint text not null,
    policy text not null,
    run_id bigint not null,
    assigned_at timestamptz not null default now()
);
comment on table identity.assignments is 'What each domain was last assigned from; the same again is no work.';

insert into identity.homes (domain, record, id)
select distinct on (source_system, entity, source_key)
    'customers',
    source_system || '|' || entity || '|' || source_key,
    customer_id
from identity.customer_crosswalk
order by source_system asc, entity asc, source_key asc, crosswalk_id desc;
