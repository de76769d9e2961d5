-- What completed documents were when they were closed, kept whatever becomes of the marts.
create table ops.seals (
    seal_id bigint generated always as identity primary key,
    source_system text not null,
    document_type text not null check (document_type in ('order', 'invoice')),
    document_id text not null,
    document_number text,
    order_id text,
    content jsonb not null,
    addresses jsonb,
    content_hash text not null,
    run_id bigint references ops.runs (run_id),
    sealed_at timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    constraint a_hash_is_that_of_its_content
    check (content_hash = encode(sha256(convert_to(content::text, 'UTF8')), 'hex'))
);
create unique index one_seal_holds on ops.seals (source_system, document_type, document_id)
where superseded_at is null;
comment on table ops.seals is 'Orders that are complete and fully invoiced, and their invoices, as they were then. A seal that was replaced stays.';
comment on column ops.seals.addresses is 'Addresses for goods and invoice as they were at sealing; personal data.';

create table ops.seal_breaches (
    breach_id bigint generated always as identity primary key,
    seal_id bigint not null references ops.seals (seal_id),
    found_content jsonb,
    found_hash text,
    found_run_id bigint references ops.runs (run_id),
    found_at timestamptz not null default clock_timestamp(),
    status text not null default 'open' check (status in ('open', 'accepted', 'undone', 'replaced')),
    closed_at timestamptz,
    decided_by text,
    note text,
    constraint an_acceptance_names_its_person
    check (status <> 'accepted' or (decided_by is not null and note is not null))
);
create unique index one_breach_is_open on ops.seal_breaches (seal_id) where status = 'open';
comment on table ops.seal_breaches is 'Every change of a sealed document that was found, and what became of it; found_hash is null where the document vanished.';
