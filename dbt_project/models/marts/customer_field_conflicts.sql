{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['customer_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        pre_hook="{{ affected_customers() }}",
    )
}}

{%- set rules = ownership_rules() %}
{%- set fields = [
    'name', 'phone', 'email', 'website', 'parent_customer_id', 'tax_id', 'registration_id',
] %}

with

records as (
    {{ customer_source_records() }}
),

two_sided_customers as (
    select customer_id
    from records
    group by customer_id
    having count(distinct side) = 2
),

-- What one side says by itself, and since when it can have said so.
sides as (
    select
        customer_id,
        side,
        {% for field in fields -%}
            {{ golden_value(rules, 'customers.' ~ field, field) }} as {{ field }},
            {{ golden_value(
                rules, 'customers.' ~ field, 'greatest(modified_at, linked_at)', field
            ) }} as {{ field }}_since,
        {% endfor -%}
        max(linked_at) as linked_at
    from records
    where customer_id in (select customer_id from two_sided_customers)
    group by customer_id, side
),

golden_records as (
    select * from {{ ref('customers') }}
    where {{ only_affected(['customer_id']) }}
),

pairs as (
    select
        golden_records.customer_id,
        {% for field in fields -%}
            crm.{{ field }} as crm_{{ field }},
            erp.{{ field }} as erp_{{ field }},
            golden_records.{{ field }} as chosen_{{ field }},
            greatest(crm.{{ field }}_since, erp.{{ field }}_since) as {{ field }}_since,
        {% endfor -%}
        greatest(crm.linked_at, erp.linked_at) as linked_at
    from sides as crm
    inner join sides as erp on crm.customer_id = erp.customer_id
    inner join golden_records on crm.customer_id = golden_records.customer_id
    where crm.side = 'crm' and erp.side = 'erp'
),

compared_fields as (
    {% for field in fields -%}
        {% set rule = ownership_rule(rules, 'customers.' ~ field) -%}
        select
            customer_id,
            '{{ field }}' as field,
            crm_{{ field }} as crm_value,
            erp_{{ field }} as erp_value,
            chosen_{{ field }} as chosen_value,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            {{ field }}_since as since
        from pairs
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

differing_fields as (
    select * from compared_fields
    where {{ differs_in_more_than_spelling('field', 'crm_value', 'erp_value') }}
),

sites as (
    select
        *,
        {{ address_in_one_line() }} as address
    from {{ ref('customer_addresses') }}
    where {{ only_affected(['customer_id']) }}
),

{% for role in ['billing', 'shipping'] -%}
    {% for side in ['crm', 'erp'] -%}
        {{ role }}_sites_in_{{ side }} as (
            select distinct on (customer_id) *
            from sites
            where is_{{ role }}_in_{{ side }}
            order by
                customer_id asc,
                {{ site_order(rules, role) }}
        ),

    {% endfor -%}
{% endfor -%}

-- Addresses differ when the two sides have no site of the role in common.
differing_addresses as (
    {% for role in ['billing', 'shipping'] -%}
        {% set rule = ownership_rule(rules, 'addresses.' ~ role) -%}
        select
            golden_records.customer_id,
            '{{ role }}_address' as field,
            crm.address as crm_value,
            erp.address as erp_value,
            concat_ws(
                ', ',
                golden_records.{{ role }}_street,
                nullif(
                    concat_ws(
                        ' ', golden_records.{{ role }}_postal_code, golden_records.{{ role }}_city
                    ),
                    ''
                ),
                golden_records.{{ role }}_region,
                golden_records.{{ role }}_country
            ) as chosen_value,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            greatest(crm.modified_at, erp.modified_at, pairs.linked_at) as since
        from {{ role }}_sites_in_crm as crm
        inner join {{ role }}_sites_in_erp as erp on crm.customer_id = erp.customer_id
        inner join golden_records on crm.customer_id = golden_records.customer_id
        inner join pairs on crm.customer_id = pairs.customer_id
        where
            not exists (
                select from sites
                where
                    sites.customer_id = crm.customer_id
                    and sites.is_{{ role }}_in_crm
                    and sites.is_{{ role }}_in_erp
            )
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

differences as (
    select * from differing_fields
    union all
    select * from differing_addresses
),

unified as (
    select
        customer_id,
        field,
        crm_value,
        erp_value,
        chosen_value,
        owner,
        mode,
        mode = 'review' as is_for_review,
        since
    from differences
)

select * from unified
