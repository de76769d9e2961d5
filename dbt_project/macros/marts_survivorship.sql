{#
    Which of several records' values survive in a unified one. The rules are the rows of the seed
    field_ownership; flows/core/ownership.py reads the same file for people and refuses, with file
    and line, what these macros do not know.

    The macros expect a CTE with `side` (crm or erp), `age` (1 is the record that speaks first),
    `is_merged` and `modified_at`.
#}

{#- The rules by name, such as customers.name, each with its owner and mode. -#}
{% macro ownership_rules() %}
    {%- set seed = ref('field_ownership') -%}
    {%- set rules = {} -%}
    {%- if execute -%}
        {%- for row in run_query('select entity, field, owner, mode from ' ~ seed).rows -%}
            {%- do rules.update(
                {row['entity'] ~ '.' ~ row['field']: {'owner': row['owner'], 'mode': row['mode']}}
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(rules) -}}
{% endmacro %}

{#- One rule; before dbt runs, when the seed cannot be read yet, one that stands for it. -#}
{% macro ownership_rule(rules, name) %}
    {%- set rule = {'owner': 'crm', 'mode': 'owner_wins'} -%}
    {%- if execute -%}
        {%- set rule = rules[name] if name in rules else none -%}
        {%- if
            not rule or rule.owner not in ['crm', 'erp']
            or rule.mode not in ['owner_wins', 'fill_only', 'most_recent', 'review']
        -%}
            {%- do exceptions.raise_compiler_error(
                'seeds/rules/field_ownership.csv: the rule of ' ~ name ~ ' is missing or unknown: '
                ~ rule ~ '. `concord rules show` names the line.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(rule) -}}
{% endmacro %}

{#- 0 for the side whose values come first under a rule, 1 for the other; 0 for both where only
    the time decides. -#}
{% macro survivor_rank(rule, side='side') -%}
    {%- if rule.mode == 'most_recent' -%}
        0
    {%- elif rule.mode == 'fill_only' -%}
        case when {{ side }} = '{{ rule.owner }}' then 1 else 0 end
    {%- else -%}
        case when {{ side }} = '{{ rule.owner }}' then 0 else 1 end
    {%- endif -%}
{%- endmacro %}

{#- In which order records are asked for a value. A record that was merged away is asked last. -#}
{% macro survivor_order(rule) -%}
    {%- if rule.mode == 'most_recent' -%}
        is_merged, modified_at desc nulls last, side <> '{{ rule.owner }}', age
    {%- else -%}
        {{ survivor_rank(rule) }}, age
    {%- endif -%}
{%- endmacro %}

{#- The value that survives: of the first record that has one. A column that goes with another,
    such as an amount's currency, comes from the record that the other comes from. -#}
{% macro golden_value(rules, name, column, goes_with=none) -%}
    (
        array_agg({{ column }} order by {{ survivor_order(ownership_rule(rules, name)) }})
        filter (where {{ goes_with or column }} is not null)
    )[1]
{%- endmacro %}

{#- What the records of one side say by themselves; `value` may be another column of the record. -#}
{% macro golden_value_of_side(rules, side, name, column, value=none) -%}
    {%- set is_timed = ownership_rule(rules, name).mode == 'most_recent' -%}
    (
        array_agg(
            {{ value or column }}
            order by {{ 'is_merged, modified_at desc nulls last, age' if is_timed else 'age' }}
        ) filter (where {{ column }} is not null and side = '{{ side }}')
    )[1]
{%- endmacro %}

{#- survivor_rank for addresses and contacts, where `ruled_role` says which rule holds. -#}
{% macro survivor_rank_of_role(rules, entity, roles) -%}
    case ruled_role
        {%- for role in roles %}
        when '{{ role }}' then {{ survivor_rank(ownership_rule(rules, entity ~ '.' ~ role)) }}
        {%- endfor %}
    end
{%- endmacro %}

{#- The time that decides for them where the newest wins, else null. -#}
{% macro survivor_time_of_role(rules, entity, roles) -%}
    case ruled_role
        {%- for role in roles %}
        {%- set is_timed = ownership_rule(rules, entity ~ '.' ~ role).mode == 'most_recent' %}
        when '{{ role }}' then {{ 'modified_at' if is_timed else 'null::timestamptz' }}
        {%- endfor %}
    end
{%- endmacro %}

{#- The order in which a customer's sites are asked to be the one of a role. -#}
{% macro site_order(rules, role) -%}
    {%- set rule = ownership_rule(rules, 'addresses.' ~ role) -%}
    {%- if rule.mode == 'most_recent' -%}
        modified_at desc nulls last,
    {%- elif rule.mode == 'fill_only' %}
        is_{{ role }}_in_{{ 'erp' if rule.owner == 'crm' else 'crm' }} desc,
    {%- endif %}
        is_{{ role }}_in_{{ rule.owner }} desc,
        is_default_{{ role }} desc,
        source_system asc,
        source_key asc,
        site_key asc
{%- endmacro %}

{#- Every account and ERP customer with the customer it is, in the order in which they speak. -#}
{% macro customer_source_records() -%}
    select
        *,
        row_number() over (
            partition by customer_id
            order by is_merged, created_at nulls last, source_system, source_key
        ) as age
    from (
        {{ customer_records_of('accounts', ref('stg_accounts'), 'parent_account_id') }}
        union all
        {{ customer_records_of('customers', ref('stg_customers'), 'parent_customer_id') }}
    ) as both_sides
{%- endmacro %}

{% macro customer_records_of(entity, relation, parent) -%}
    {%- set is_crm = entity == 'accounts' -%}
    select
        crosswalk.customer_id,
        '{{ 'crm' if is_crm else 'erp' }}' as side,
        record.source_system,
        record.source_key,
        {{ 'record.merged_into_id is not null' if is_crm else 'false' }} as is_merged,
        record.name,
        {{ 'record.type' if is_crm else 'null::text' }} as type,
        {{ 'record.industry' if is_crm else 'null::text' }} as industry,
        record.phone,
        record.email,
        record.website,
        {{ 'record.owner_id' if is_crm else 'null::text' }} as owner_id,
        record.tax_id,
        record.registration_id,
        {{ 'null::text' if is_crm else 'record.payment_terms' }} as payment_terms,
        {{ 'null::numeric(20, 4)' if is_crm else 'record.credit_limit' }} as credit_limit,
        {{ 'null::text' if is_crm else 'record.currency' }} as credit_currency,
        {{ 'null::boolean' if is_crm else 'record.is_blocked' }} as is_blocked,
        record.created_at,
        record.modified_at,
        crosswalk.valid_from as linked_at,
        nullif(parents.customer_id, crosswalk.customer_id) as parent_customer_id
    from {{ source('identity', 'customer_crosswalk') }} as crosswalk
    inner join {{ relation }} as record
        on
            crosswalk.source_system = record.source_system
            and crosswalk.source_key = record.source_key
    left join {{ source('identity', 'customer_crosswalk') }} as parents
        on
            record.source_system = parents.source_system
            and record.{{ parent }} = parents.source_key
            and parents.entity = '{{ entity }}'
            and parents.is_current
    where
        crosswalk.is_current
        and crosswalk.entity = '{{ entity }}'
        and {{ only_affected(['crosswalk.customer_id']) }}
{%- endmacro %}

{#- True when two values of a field are not just two spellings of one: case, blanks, punctuation,
    the scheme of a website, the prefix of a telephone number and letters around the digits of a
    number that authorities give do not count. -#}
{% macro differs_in_more_than_spelling(field, left, right) -%}
    case
        when {{ left }} = {{ right }} then false
        when {{ left }} is null or {{ right }} is null then false
        else {{ plain_spelling(field, left) }} <> {{ plain_spelling(field, right) }}
    end
{%- endmacro %}

{% macro plain_spelling(field, value) -%}
    {%- set digits = "regexp_replace(" ~ value ~ ", '[^0-9]', '', 'g')" -%}
    {%- if field == 'phone' -%}
        right({{ digits }}, 8)
    {%- elif field in ['tax_id', 'registration_id'] -%}
        case
            when length({{ digits }}) >= 6 then {{ digits }}
            else {{ plain_letters(value) }}
        end
    {%- elif field == 'website' -%}
        {{ plain_letters("regexp_replace(" ~ value ~ ", '^[[:space:]]*(https?://)?(www[.])?', '', 'i')") }}
    {%- else -%}
        {{ plain_letters(value) }}
    {%- endif -%}
{%- endmacro %}

{% macro plain_letters(value) -%}
    lower(regexp_replace({{ value }}, '[[:space:][:punct:]]', '', 'g'))
{%- endmacro %}

{% macro address_in_one_line() -%}
    concat_ws(
        ', ',
        nullif(concat_ws(', ', street, street2), ''),
        nullif(concat_ws(' ', postal_code, city), ''),
        region,
        country
    )
{%- endmacro %}

{#- What both sides say of a customer by itself and is compared, beside its addresses. -#}
{% macro compared_customer_fields() -%}
    {{ return([
        'name', 'phone', 'email', 'website', 'parent_customer_id', 'tax_id', 'registration_id',
    ]) }}
{%- endmacro %}
