{#- A fence: each value of the select above is worked out once, not again wherever it is looked at.
    In quotes it is a constant to the planner at once, which else allows no workers. -#}
{% macro worked_out_once() -%} offset '0' {%- endmacro %}

{#- What two records may have in common: a rule, the value, and how often one system may hold it.
    Each list is a subquery over the columns of one record. -#}

{% macro identity_customer_values() -%}
    {%- set number, name = identity_shared_value_limit(), identity_shared_name_limit() -%}
    values
    ('tax_id', tax_key, {{ number }}),
    ('registration_id', registration_key, {{ number }}),
    ('registration_id', nullif(tax_key, registration_key), {{ number }}),
    ('tax_id_and_name', tax_key || '|' || normalised_name, {{ name }}),
    -- The same number in a CRM and an ERP means little without the name.
    ('number_and_name', record_number || '|' || normalised_name, {{ name }}),
    ('name_and_email', normalised_name || '|' || emails[1], {{ name }}),
    ('name_and_phone', normalised_name || '|' || phones[1], {{ name }}),
    ('name_and_website', normalised_name || '|' || website_domain, {{ name }}),
    (
        'name_and_postal_code',
        case when length(normalised_name) >= 2 then normalised_name || '|' || postal_code end,
        {{ name }}
    ),
    (
        'name_and_town',
        case
            when length(normalised_name) >= 10 or cardinality(name_words) >= 2
                then normalised_name || '|' || city
        end,
        {{ name }}
    )
{%- endmacro %}

{#- What one record calls itself or another by. -#}
{% macro identity_customer_references() -%}
    values
    ('reference', source_key, 0),
    ('reference', record_number, 0),
    ('reference', external_id, 0),
    ('reference', merged_into, 0)
{%- endmacro %}

{% macro identity_contact_values() -%}
    {%- set number, name = identity_shared_value_limit(), identity_shared_name_limit() -%}
    {%- set whole_name = "case when normalised_first_name is not null and normalised_last_name "
        ~ "is not null then normalised_name end" -%}
    values
    ('national_id', national_id, {{ number }}),
    ('name_and_email', {{ whole_name }} || '|' || emails[1], {{ name }})
    union
    select 'name_and_phone', {{ whole_name }} || '|' || phone, {{ name }}
    from unnest(phones) as held (phone)
    union
    select 'name_and_customer', {{ whole_name }} || '|' || customer_key, {{ name }}
    from unnest(customer_keys) as held (customer_key)
{%- endmacro %}

{#- A number that is only written alike must be the only one of its system. -#}
{% macro identity_product_values() -%}
    {%- set number = identity_shared_value_limit() -%}
    values
    ('gtin', case when is_gtin then normalised_number end, {{ number }}),
    ('product_number', upper(btrim(product_number)), {{ number }}),
    ('written_alike', normalised_number, 1)
{%- endmacro %}

{#- Numbers group and join faster than texts; pairs are made of equal texts only. -#}
{% macro identity_value_hash(rule, value) -%}
    hashtextextended({{ rule }} || '|' || {{ value }}, 0)
{%- endmacro %}

{#- Every value that a record may have in common, in short, with those that it ever had before. -#}
{% macro identity_values_of(records, values) -%}
with

-- Only for these are values worked out.
records as (
    select * from {{ records }}
    where {{ only_affected(['record']) }}
    {{ worked_out_once() }}
),

held_values as (
    select
        record,
        array(
            select distinct {{ identity_value_hash('common.rule', 'common.compared_value') }}
            from (
                {{ values }}
            ) as common (rule, compared_value, largest_use)
            where common.compared_value is not null
        ) as value_hashes
    from records
),

{% if is_incremental() -%}
former_values as (
    select * from {{ this }}
    where {{ only_affected(['record']) }}
),

{% endif -%}
compared_values as (
    select
        {{ 'coalesce(held.record, former.record)' if is_incremental() else 'held.record' }} as record,
        coalesce(held.value_hashes, '{}') as value_hashes,
        {% if is_incremental() -%}
        array(
            select unnest(former.value_hashes)
            union
            select unnest(former.former_hashes)
        ) as former_hashes,
        {%- else -%}
        '{}'::bigint[] as former_hashes,
        {%- endif %}
        {{ current_version() }} as version
    from held_values as held
    {% if is_incremental() -%}
    full join former_values as former on held.record = former.record
    {%- endif %}
)

select * from compared_values
{%- endmacro %}

{#- The values that a changed record holds or held, and the records that hold them: a pair depends
    on its two records and on how many hold the value. -#}
{% macro identity_affected_pairs(values) %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {{- affected_keys([
        "select unnest(value_hashes || former_hashes) as value_hash from " ~ ref(values)
            ~ " where version > " ~ identity_watermark(),
    ]) }}
    drop table if exists {{ identity_holders_table() }};
    create temporary table holders_of_{{ model.name }} as
    select distinct held.record
    from (select record, unnest(value_hashes) as value_hash from {{ ref(values) }}) as held
    inner join {{ affected_table() }} as affected on held.value_hash = affected.value_hash;
    analyze {{ identity_holders_table() }};
{% endmacro %}

{% macro identity_holders_table() -%}
    pg_temp.holders_of_{{ model.name }}
{%- endmacro %}

{#- True for the records that pairs may have changed of: all of them, or the holders. -#}
{% macro identity_only_holders() -%}
    {%- if is_incremental() -%}
        record in (select record from {{ identity_holders_table() }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
