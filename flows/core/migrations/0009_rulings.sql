-- What people decided about pairs of records, and who decided it.
create table ops.decisions (
    decision_id bigint generated always as identity primary key,
    domain text not null check (domain in ('customers', 'contacts', 'products')),
    left_record text not null,
    right_record text not null,
    ruling text not null check (ruling in ('same', 'different', 'unsure')),
    reason text,
    decided_by text not null default session_user check (btrim(decided_by) <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    entered_by text not null default session_user,
    entered_through text not null default 'sql'
    check (entered_through in ('form', 'file', 'sql')),
    compared jsonb,
    compared_hash text,
    status text not null default 'active'
    check (status in ('active', 'reopened', 'replaced', 'withdrawn')),
    status_at timestamptz,
    constraint the_left_record_comes_first check (left_record collate "C" < right_record)
);
create unique index one_standing_decision on ops.decisions (domain, left_record, right_record)
where status in ('active', 'reopened');
create index decisions_by_right_record on ops.decisions (domain, right_record);
comment on table ops.decisions is 'Every ruling of a person on whether two records are the same; never changed but for its status.';
comment on column ops.decisions.left_record is 'source_system|entity|source_key; of the two records the one that sorts first.';
comment on column ops.decisions.decided_by is 'Who decided, as the person said.';
comment on column ops.decisions.entered_by is 'The database role that wrote it; cannot be chosen.';
comment on column ops.decisions.compared is 'The values of both records as they were when it was decided; null until they are next looked at.';
comment on column ops.decisions.status is 'active: in force; reopened: in force, but the values have changed since and a person is asked again; replaced: by a later ruling; withdrawn: taken back.';

-- Writing a decision is all that a steward may do, so what follows from one is done here.
create function ops.settle_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if new.left_record collate "C" > new.right_record then
        select new.right_record, new.left_record, new.compared - 'left' - 'right'
            || jsonb_build_object('left', new.compared -> 'right', 'right', new.compared -> 'left')
        into new.left_record, new.right_record, new.compared;
    end if;
    update ops.decisions
    set status = 'replaced', status_at = clock_timestamp()
    where domain = new.domain
        and left_record = new.left_record
        and right_record = new.right_record
        and status in ('active', 'reopened');
    return new;
end
$$;
create trigger settle_decision before insert on ops.decisions
for each row execute function ops.settle_decision();

grant usage on schema ops to concord_steward;
grant select on ops.decisions to concord_steward;
grant insert (domain, left_record, right_record, ruling, reason, decided_by)
on ops.decisions to concord_steward;

-- Filled from seeds/rules/keep_apart.csv whenever the seeds are loaded.
create table identity.keep_apart (
    domain text not null,
    left_record text not null,
    right_record text not null,
    reason text,
    primary key (domain, left_record, right_record),
    constraint the_left_record_comes_first check (left_record collate "C" < right_record)
);
comment on table identity.keep_apart is 'Pairs that the rules declare different for ever, whatever else is known.';

-- A key may be one of an account, of a customer, or of both; the pair is kept apart in every reading.
create function identity.fill_keep_apart() returns void
language plpgsql
as $$
begin
    delete from identity.keep_apart;
    insert into identity.keep_apart (domain, left_record, right_record, reason)
    with entities (domain, name) as (
        values ('customers', 'accounts'), ('customers', 'customers'),
            ('contacts', 'contacts'), ('products', 'products')
    ),
    pairs as (
        select
            kept.domain,
            kept.reason,
            kept.left_system || '|' || left_entity.name || '|' || kept.left_key as one,
            kept.right_system || '|' || right_entity.name || '|' || kept.right_key as other
        from staging.keep_apart as kept
        inner join entities as left_entity on kept.domain = left_entity.domain
        inner join entities as right_entity on kept.domain = right_entity.domain
    )
    select
        domain,
        least(one collate "C", other),
        greatest(one collate "C", other),
        min(reason)
    from pairs
    where one <> other
    group by 1, 2, 3;
end
$$;
comment on function identity.fill_keep_apart is 'Takes over what seeds/rules/keep_apart.csv says; called when the seed has been loaded.';

create view identity.active_rulings as
select
    domain,
    left_record,
    right_record,
    ruling
from ops.decisions as decision
where
    status in ('active', 'reopened')
    and ruling in ('same', 'different')
    and not exists (
        select from identity.keep_apart as kept
        where kept.domain = decision.domain
            and kept.left_record = decision.left_record
            and kept.right_record = decision.right_record
    )
union all
select
    domain,
    left_record,
    right_record,
    'different'
from identity.keep_apart;
comment on view identity.active_rulings is 'The rulings in force, one per pair: what people decided, and above it what the rules keep apart.';
