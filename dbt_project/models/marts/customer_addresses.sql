{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['customer_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        meta={'touches': [{'kind': 'customer', 'key': 'customer_id'}]},
        pre_hook="{{ affected_customer_parts('addresses', [('customers', 'customer_id')]) }}",
    )
}}

{%- set rules = ownership_rules() %}
{%- set roles = ['billing', 'shipping', 'other'] %}

with

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current and {{ only_affected(['customer_id']) }}
),

source_addresses as (
    select
        crosswalk.customer_id,
        'erp' as side,
        addresses.source_system,
        'addresses' as entity,
        addresses.source_key,
        addresses.role,
        addresses.addressee,
        addresses.street,
        addresses.street2,
        addresses.city,
        addresses.region,
        addresses.postal_code,
        addresses.country,
        coalesce(addresses.is_default, false) as is_default,
        addresses.modified_at
    from crosswalk
    inner join {{ ref('stg_addresses') }} as addresses
        on
            crosswalk.source_system = addresses.source_system
            and crosswalk.source_key = addresses.customer_id
    where crosswalk.entity = 'customers' and not addresses.is_deleted
    union all
    select
        crosswalk.customer_id,
        'crm' as side,
        accounts.source_system,
        'accounts' as entity,
        accounts.source_key,
        'billing' as role,
        null::text as addressee,
        accounts.billing_street as street,
        null::text as street2,
        accounts.billing_city as city,
        accounts.billing_region as region,
        accounts.billing_postal_code as postal_code,
        accounts.billing_country as country,
        false as is_default,
        accounts.modified_at
    from crosswalk
    inner join {{ ref('stg_accounts') }} as accounts
        on
            crosswalk.source_system = accounts.source_system
            and crosswalk.source_key = accounts.source_key
    where crosswalk.entity = 'accounts' and not accounts.is_deleted
    union all
    select
        crosswalk.customer_id,
        'crm' as side,
        accounts.source_system,
        'accounts' as entity,
        accounts.source_key,
        'shipping' as role,
        null::text as addressee,
        accounts.shipping_street as street,
        null::text as street2,
        accounts.shipping_city as city,
        accounts.shipping_region as region,
        accounts.shipping_postal_code as postal_code,
        accounts.shipping_country as country,
        false as is_default,
        accounts.modified_at
    from crosswalk
    inner join {{ ref('stg_accounts') }} as accounts
        on
            crosswalk.source_system = accounts.source_system
            and crosswalk.source_key = accounts.source_key
    where crosswalk.entity = 'accounts' and not accounts.is_deleted
),

-- One site however often it is written: case, punctuation and diacritics do not count.
identified_addresses as (
    select
        *,
        md5(
            concat_ws(
                '|',
                coalesce({{ identity_normalise_address("concat_ws(' ', street, street2)") }}, ''),
                coalesce({{ identity_normalise_postal_code('postal_code') }}, ''),
                coalesce({{ identity_normalise_address('city') }}, ''),
                coalesce(upper(country), '')
            )
        ) as site_key,
        case
            when role in ('billing', 'both') then 'billing'
            when role = 'shipping' then 'shipping'
            else 'other'
        end as ruled_role
    from source_addresses
    where coalesce(street, street2, city, postal_code) is not null
),

sites as (
    select
        customer_id,
        site_key,
        bool_or(role in ('billing', 'both')) as is_billing,
        bool_or(role in ('shipping', 'both')) as is_shipping,
        bool_or(is_default and role in ('billing', 'both')) as is_default_billing,
        bool_or(is_default and role in ('shipping', 'both')) as is_default_shipping,
        {% for role in ['billing', 'shipping'] -%}
            {% for side in ['crm', 'erp'] -%}
                bool_or(side = '{{ side }}' and role in ('{{ role }}', 'both'))
                    as is_{{ role }}_in_{{ side }},
            {% endfor -%}
        {% endfor -%}
        max(modified_at) as modified_at,
        array_agg(
            distinct source_system || '|' || entity || '|' || source_key
        ) as source_records
    from identified_addresses
    group by customer_id, site_key
),

ranked_addresses as (
    select
        *,
        {{ survivor_rank_of_role(rules, 'addresses', roles) }} as rank,
        {{ survivor_time_of_role(rules, 'addresses', roles) }} as decisive_time
    from identified_addresses
),

-- How a site is written is decided by its owner, then by the first record.
values_of_sites as (
    select distinct on (customer_id, site_key) *
    from ranked_addresses
    order by
        customer_id asc,
        site_key asc,
        rank asc,
        decisive_time desc nulls last,
        is_default desc,
        source_system asc,
        entity asc,
        ruled_role asc,
        source_key asc
),

unified as (
    select
        sites.customer_id,
        sites.site_key,
        coalesce(sites.is_billing, false) as is_billing,
        coalesce(sites.is_shipping, false) as is_shipping,
        coalesce(sites.is_default_billing, false) as is_default_billing,
        coalesce(sites.is_default_shipping, false) as is_default_shipping,
        case
            when sites.is_billing and sites.is_shipping then 'both'
            when sites.is_billing then 'billing'
            when sites.is_shipping then 'shipping'
            else 'other'
        end as roles,
        values_of_sites.addressee,
        values_of_sites.street,
        values_of_sites.street2,
        values_of_sites.city,
        values_of_sites.region,
        values_of_sites.postal_code,
        values_of_sites.country,
        values_of_sites.source_system,
        values_of_sites.entity as source_entity,
        values_of_sites.source_key,
        sites.source_records,
        {% for role in ['billing', 'shipping'] -%}
            {% for side in ['crm', 'erp'] -%}
                coalesce(sites.is_{{ role }}_in_{{ side }}, false) as is_{{ role }}_in_{{ side }},
            {% endfor -%}
        {% endfor -%}
        sites.modified_at
    from sites
    inner join values_of_sites
        on
            sites.customer_id = values_of_sites.customer_id
            and sites.site_key = values_of_sites.site_key
)

select * from unified
