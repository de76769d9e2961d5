{{ config(materialized='table', contract={'enforced': true}) }}
-- What stewards accept changes no mart, so this table is built in every run.
-- depends_on: {{ source('identity', 'customer_ids') }}

with

seals as (
    select * from ops.seals
    where superseded_at is null
),

contents as (
    select * from {{ ref('document_contents') }}
),

breaches as (
    select
        seals.seal_id,
        seals.source_system,
        seals.document_type,
        seals.document_id,
        seals.document_number,
        seals.order_id,
        case when contents.document_key is null then 'vanished' else 'changed' end as kind,
        (
            select string_agg(field.name, ', ' order by field.name)
            from jsonb_object_keys(seals.content) as field (name)
            where
                contents.content is not null
                and seals.content -> field.name is distinct from contents.content -> field.name
        ) as differing_fields,
        seals.sealed_at,
        seals.content_hash as sealed_hash,
        contents.content_hash as found_hash,
        seals.content ->> 'currency' as currency,
        (seals.content ->> 'net_amount')::numeric(20, 4) as sealed_net_amount,
        (contents.content ->> 'net_amount')::numeric(20, 4) as found_net_amount,
        seals.content::text as sealed_content,
        contents.content::text as found_content
    from seals
    left join contents
        on
            seals.source_system = contents.source_system
            and seals.document_type || '|' || seals.document_id = contents.document_key
    where contents.content_hash is distinct from seals.content_hash
)

select * from breaches
