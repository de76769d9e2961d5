{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['customer_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        pre_hook="{{ affected_customer_parts('contacts', [('accounts', 'account_id'), ('customers', 'customer_id')]) }}",
    )
}}

{%- set rules = ownership_rules() %}
{%- set roles = ['sales', 'support', 'billing', 'delivery', 'other'] %}

with

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current and {{ only_affected(['customer_id']) }}
),

unified_contacts as (
    select * from {{ source('identity', 'contact_crosswalk') }}
    where is_current
),

source_contacts as (
    select
        crosswalk.customer_id as unified_customer_id,
        'crm' as side,
        contacts.*
    from crosswalk
    inner join {{ ref('stg_contacts') }} as contacts
        on
            crosswalk.source_system = contacts.source_system
            and crosswalk.source_key = contacts.account_id
    where crosswalk.entity = 'accounts' and contacts.kind = 'crm' and not contacts.is_deleted
    union all
    select
        crosswalk.customer_id,
        'erp' as side,
        contacts.*
    from crosswalk
    inner join {{ ref('stg_contacts') }} as contacts
        on
            crosswalk.source_system = contacts.source_system
            and crosswalk.source_key = contacts.customer_id
    where crosswalk.entity = 'customers' and contacts.kind = 'erp' and not contacts.is_deleted
),

-- A contact that identity has not seen is one person per e-mail address and name within a customer;
-- a shared mailbox stays several people.
identified_contacts as (
    select
        source_contacts.*,
        unified_contacts.contact_id as unified_contact_id,
        coalesce(
            unified_contacts.contact_id,
            md5(
                coalesce(
                    nullif(
                        concat_ws(
                            '|',
                            lower(btrim(source_contacts.email)),
                            {{ identity_normalise_address(
                                "concat_ws(' ', source_contacts.first_name, source_contacts.last_name)"
                            ) }}
                        ),
                        ''
                    ),
                    source_contacts.source_system || '|' || source_contacts.source_key
                )
            )
        ) as contact_key,
        case
            when source_contacts.role in ('sales', 'support', 'billing', 'delivery')
                then source_contacts.role
            else 'other'
        end as ruled_role
    from source_contacts
    left join unified_contacts
        on
            source_contacts.source_system = unified_contacts.source_system
            and source_contacts.source_key = unified_contacts.source_key
),

ranked_contacts as (
    select
        *,
        {{ survivor_rank_of_role(rules, 'contacts', roles) }} as rank,
        {{ survivor_time_of_role(rules, 'contacts', roles) }} as decisive_time
    from identified_contacts
),

numbered_contacts as (
    select
        *,
        row_number() over (
            partition by unified_customer_id, contact_key
            order by
                rank asc,
                decisive_time desc nulls last,
                side asc,
                source_system asc,
                source_key asc
        ) as turn
    from ranked_contacts
),

-- The first record speaks; where it is silent, the next does. Names and addresses stay together.
people as (
    select
        unified_customer_id as customer_id,
        contact_key,
        {% for column in ['first_name', 'last_name'] -%}
            (
                array_agg({{ column }} order by turn)
                filter (where coalesce(first_name, last_name) is not null)
            )[1] as {{ column }},
        {% endfor -%}
        {% for column in ['street', 'city', 'region', 'postal_code', 'country'] -%}
            (
                array_agg({{ column }} order by turn)
                filter (where coalesce(street, city, postal_code) is not null)
            )[1] as {{ column }},
        {% endfor -%}
        {% for column in [
            'email', 'phone', 'mobile_phone', 'job_title', 'birth_date', 'national_id',
        ] -%}
            (
                array_agg({{ column }} order by turn)
                filter (where {{ column }} is not null)
            )[1] as {{ column }},
        {% endfor -%}
        (array_agg(source_system order by turn))[1] as source_system,
        (array_agg(source_key order by turn))[1] as source_key,
        array_to_string(array_agg(distinct role order by role), ', ') as roles,
        min(source_key) filter (where side = 'crm') as crm_contact_id,
        min(source_key) filter (where side = 'erp') as erp_contact_id,
        array_agg(distinct source_system || '|contacts|' || source_key) as source_records,
        min(unified_contact_id) as contact_id
    from numbered_contacts
    group by unified_customer_id, contact_key
),

unified as (
    select
        customer_id,
        contact_key,
        first_name,
        last_name,
        email,
        phone,
        mobile_phone,
        job_title,
        roles,
        street,
        city,
        region,
        postal_code,
        country,
        source_system,
        source_key,
        crm_contact_id,
        erp_contact_id,
        source_records,
        contact_id,
        birth_date,
        national_id
    from people
)

select * from unified
