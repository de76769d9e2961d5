-- Roles. They are shared by every database of a server, so they may exist.
do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'concord_owner', 'concord_pipeline', 'concord_analyst', 'concord_steward', 'concord_personal_data'
    ]
    loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception when duplicate_object or unique_violation then
                null;  -- made at the same moment by another database's migration
            end;
        end if;
    end loop;
end
$$;

create schema if not exists ops;
create schema if not exists raw;
create schema if not exists incoming;
create schema if not exists staging;
create schema if not exists identity;
create schema if not exists quarantine;
create schema if not exists marts_a;
create schema if not exists marts_b;
create schema if not exists marts;

create table ops.settings (
    key text primary key,
    value text not null,
    changed_at timestamptz not null default now()
);
comment on table ops.settings is 'Facts about this warehouse that must not change between runs unnoticed, such as the reporting currency.';

create table ops.runs (
    run_id bigint generated always as identity primary key,
    flow text not null,
    flow_run_id uuid,
    is_full boolean not null default false,
    status text not null default 'running'
    check (status in ('running', 'done', 'refused', 'failed', 'unchanged')),
    reason text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    timings jsonb not null default '{}'
);
comment on table ops.runs is 'One row per run of a flow; the run id is also the version that staging rows and slots carry.';

create table ops.connections (
    connection text primary key,
    system text not null,
    kind text not null check (kind in ('crm', 'erp')),
    changed_at timestamptz not null default now()
);
comment on table ops.connections is 'Every connection ever landed, and whether it is a CRM or an ERP.';

create table ops.batches (
    batch_id bigint generated always as identity primary key,
    run_id bigint references ops.runs (run_id),
    connection text not null,
    object text not null,
    entities text[] not null default '{}',
    file text,
    content_hash text,
    byte_count bigint,
    columns text[] not null default '{}',
    extracted_count bigint not null default 0,
    landed_count bigint not null default 0,
    rejected_count bigint not null default 0,
    accepted_count bigint,
    quarantined_count bigint,
    status text not null default 'landed'
    check (status in ('landed', 'refused', 'accepted', 'staged', 'rejected', 'discarded')),
    landed_at timestamptz not null default clock_timestamp(),
    judged_at timestamptz,
    staged_at timestamptz,
    constraint extracted_is_landed_plus_rejected
    check (extracted_count = landed_count + rejected_count),
    constraint landed_is_accepted_plus_quarantined
    check (status not in ('accepted', 'staged') or landed_count = accepted_count + quarantined_count)
);
create index batches_pending on ops.batches (batch_id) where status in ('landed', 'refused', 'accepted');
create index batches_by_object on ops.batches (connection, object, batch_id);
comment on table ops.batches is 'One row per landed file or page window, with its balanced row counts and where it stands.';
comment on column ops.batches.status is 'landed: waits for the gate; refused: the gate said no, judged again next run; accepted: passed; staged: in staging; rejected: the file as a whole could not be read; discarded: a person set it aside.';

create table ops.cursors (
    connection text not null,
    object text not null,
    value jsonb not null,
    batch_id bigint references ops.batches (batch_id),
    moved_at timestamptz not null default clock_timestamp(),
    primary key (connection, object)
);
comment on table ops.cursors is 'How far each object has been read; moves in the transaction that lands the rows.';

create table ops.census (
    batch_id bigint not null references ops.batches (batch_id),
    connection text not null,
    object text not null,
    source_count bigint not null,
    warehouse_count bigint not null,
    source_hash text,
    warehouse_hash text,
    is_equal boolean generated always as (
        source_count = warehouse_count
        and source_hash is not distinct from warehouse_hash
    ) stored,
    counted_at timestamptz not null default clock_timestamp(),
    primary key (batch_id)
);
comment on table ops.census is 'What the source holds against what the warehouse holds, per batch, counted independently.';

create table ops.drift (
    drift_id bigint generated always as identity primary key,
    batch_id bigint not null references ops.batches (batch_id),
    connection text not null,
    object text not null,
    column_name text not null,
    change text not null check (change in ('new', 'missing', 'retyped', 'unknown')),
    detail text,
    noticed_at timestamptz not null default clock_timestamp()
);
comment on table ops.drift is 'Columns that appeared, went away or changed type against the previous batch of the object (unknown: not in the canonical model at first landing).';

create table ops.rejects (
    batch_id bigint not null references ops.batches (batch_id),
    connection text not null,
    object text not null,
    file text not null,
    line bigint,
    part integer not null default 1,
    reason text not null,
    content bytea,
    rejected_at timestamptz not null default clock_timestamp()
);
create index rejects_by_batch on ops.rejects (batch_id);
comment on table ops.rejects is 'Rows that could not be landed, whole (in parts when very long), with file, line and reason. A null line means the whole file.';

create table ops.verdicts (
    verdict_id bigint generated always as identity primary key,
    run_id bigint not null references ops.runs (run_id),
    promotion text not null check (promotion in ('raw', 'identity', 'marts')),
    suite text not null,
    expectation text not null,
    rule text not null,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    is_success boolean not null,
    checked_count bigint,
    failed_count bigint,
    failed_share numeric,
    money_at_risk numeric,
    observed text,
    outcome text not null check (outcome in ('pass', 'note', 'quarantine', 'block')),
    reason text,
    judged_at timestamptz not null default clock_timestamp()
);
create index verdicts_by_run on ops.verdicts (run_id);
comment on table ops.verdicts is 'One row per expectation and run.';

create table ops.failures (
    run_id bigint not null references ops.runs (run_id),
    promotion text not null,
    rule text not null,
    severity text not null,
    entity text not null,
    source_system text,
    source_key text,
    document_type text,
    document_key text,
    batch_id bigint,
    raw_id bigint,
    money_at_risk numeric,
    failed_at timestamptz not null default clock_timestamp()
);
create index failures_by_run on ops.failures (run_id, rule);
create index failures_by_key on ops.failures (entity, source_key);
comment on table ops.failures is 'One row per failing key and rule, never truncated.';

create table quarantine.rows (
    quarantine_id bigint generated always as identity primary key,
    source_system text not null,
    entity text not null,
    source_key text,
    document_type text not null,
    document_key text,
    batch_id bigint not null references ops.batches (batch_id),
    raw_id bigint not null,
    payload json not null,
    rules text[] not null,
    status text not null default 'open'
    check (status in ('open', 'released', 'superseded', 'discarded')),
    run_id bigint not null references ops.runs (run_id),
    quarantined_at timestamptz not null default clock_timestamp(),
    closed_run_id bigint references ops.runs (run_id),
    closed_at timestamptz
);
create unique index rows_open on quarantine.rows (entity, source_system, raw_id) where status = 'open';
create index rows_by_document on quarantine.rows (source_system, document_type, document_key);
comment on table quarantine.rows is 'Rows held back, with their whole document; rules is empty for a row held only because its document is.';

create table ops.slots (
    slot text primary key check (slot in ('a', 'b')),
    version bigint not null default 0,
    model_hash text,
    built_at timestamptz
);
insert into ops.slots (slot) values ('a'), ('b');
comment on table ops.slots is 'The two sets of mart tables and up to which run each has caught up (0: never built).';

create table ops.publications (
    publication_id bigint generated always as identity primary key,
    run_id bigint references ops.runs (run_id),
    slot text not null references ops.slots (slot),
    version bigint not null,
    kind text not null check (kind in ('publish', 'rollback')),
    is_live boolean not null default true,
    published_by text not null default session_user,
    published_at timestamptz not null default clock_timestamp()
);
create unique index one_live_publication on ops.publications (is_live) where is_live;
comment on table ops.publications is 'Every flip of the published views; exactly one is live.';

create table ops.publication_tables (
    publication_id bigint not null references ops.publications (publication_id),
    table_name text not null,
    row_count bigint not null,
    row_count_change bigint,
    sums jsonb not null default '{}',
    sum_changes jsonb not null default '{}',
    primary key (publication_id, table_name)
);
comment on table ops.publication_tables is 'Row counts and money sums per published table, and how they differ from the publication before.';
