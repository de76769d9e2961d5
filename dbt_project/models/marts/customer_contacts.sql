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

with

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current and {{ only_affected(['customer_id']) }}
),

source_contacts as (
    select
        crosswalk.customer_id as unified_customer_id,
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
        contacts.*
    from crosswalk
    inner join {{ ref('stg_contacts') }} as contacts
        on
            crosswalk.source_system = contacts.source_system
            and crosswalk.source_key = contacts.customer_id
    where crosswalk.entity = 'customers' and contacts.kind = 'erp' and not contacts.is_deleted
),

-- One person per e-mail address and name within a customer; a shared mailbox stays several people.
identified_contacts as (
    select
        *,
        md5(
            coalesce(
                nullif(
                    concat_ws(
                        '|',
                        lower(btrim(email)),
                        {{ identity_normalise_address("concat_ws(' ', first_name, last_name)") }}
                    ),
                    ''
                ),
                source_system || '|' || source_key
            )
        ) as contact_key,
        case
            when kind = 'crm' and role in ('billing', 'delivery') then 2
            when kind = 'crm' then 1
            when role in ('billing', 'delivery') then 1
            else 2
        end as precedence
    from source_contacts
),

people as (
    select
        unified_customer_id as customer_id,
        contact_key,
        array_to_string(array_agg(distinct role order by role), ', ') as roles,
        min(source_key) filter (where kind = 'crm') as crm_contact_id,
        min(source_key) filter (where kind = 'erp') as erp_contact_id,
        array_agg(distinct source_system || '|contacts|' || source_key) as source_records
    from identified_contacts
    group by unified_customer_id, contact_key
),

-- The CRM owns sales and support contacts, the ERP billing and delivery contacts.
owners as (
    select distinct on (unified_customer_id, contact_key) *
    from identified_contacts
    order by unified_customer_id, contact_key, precedence, kind, source_system, source_key
),

unified as (
    select
        people.customer_id,
        people.contact_key,
        owners.first_name,
        owners.last_name,
        owners.email,
        owners.phone,
        owners.mobile_phone,
        owners.job_title,
        people.roles,
        owners.street,
        owners.city,
        owners.region,
        owners.postal_code,
        owners.country,
        owners.source_system,
        owners.source_key,
        people.crm_contact_id,
        people.erp_contact_id,
        people.source_records
    from people
    inner join owners
        on
            people.customer_id = owners.unified_customer_id
            and people.contact_key = owners.contact_key
)

select * from unified
