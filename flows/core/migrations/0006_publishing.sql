alter table ops.slots
add column is_building boolean not null default false,
add column building_run_id bigint references ops.runs (run_id);
comment on column ops.slots.is_building is 'True from the first change a build makes until it is complete; such a slot is never published or rolled back to.';

alter table ops.publications
add column fingerprint text,
add column catalogue jsonb not null default '{}';
comment on column ops.publications.fingerprint is 'Hash of the view definitions, so that publishing the same thing twice changes nothing.';
comment on column ops.publications.catalogue is 'Which columns were summed, masked and computed, so that a rollback masks what was masked then.';

create table ops.publication_views (
    publication_id bigint not null references ops.publications (publication_id),
    view_name text not null,
    owner text not null,
    outcome text not null check (outcome in ('recreated', 'dropped')),
    definition text not null,
    reason text,
    primary key (publication_id, view_name)
);
comment on table ops.publication_views is 'Views of analysts that a breaking publication dropped or made again, with the statement that made them.';

grant usage on schema marts to concord_analyst;

grant usage, create on schema raw, incoming, staging, identity, quarantine, marts_a, marts_b, marts
to concord_pipeline;
grant usage on schema ops to concord_pipeline;
grant select, insert, update, delete on all tables in schema ops, quarantine, identity to concord_pipeline;
alter default privileges in schema ops, quarantine, identity
grant select, insert, update, delete on tables to concord_pipeline;

-- Roles are shared by every database of a server, so the membership may exist, or be made right now.
do $$
begin
    if not pg_has_role('concord_pipeline', 'concord_personal_data', 'member') then
        grant concord_personal_data to concord_pipeline;
    end if;
exception when unique_violation or internal_error then
    null;
end
$$;
