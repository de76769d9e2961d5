-- What is gone leaves no trace in the tables it is gone from, and looking for what is missing takes
-- a look at everything.
create table identity.gone_records (
    domain text not null,
    record text not null,
    version bigint not null,
    primary key (domain, record)
);
create index gone_records_by_version on identity.gone_records (domain, version);
comment on table identity.gone_records is 'Records that are compared no more, and by which run that was found. The record * stands for all: they were computed anew, and any may be gone.';

-- What changed since the last assignment is looked for at once, instead of asking first whether
-- anything did.
alter table identity.assignments drop column fingerprint;
comment on table identity.assignments is 'By which policy and run each domain was last assigned.';

-- A key that two clearly different companies share is a doubt that no resemblance settles.
alter table identity.blocked_links drop constraint blocked_links_reason_check;
alter table identity.blocked_links add constraint blocked_links_reason_check
check (reason in ('keep_apart', 'key_clash', 'clash', 'cardinality', 'cohesion'));
comment on column identity.blocked_links.blocked_by is 'The pair that is kept apart or that shares a key and nothing else, the number that differs, the pair of systems, or the share of supported pairs.';
