{#- How records are linked before anything is scored: the rules from the strongest to the weakest. -#}

{#- A value without a name on more records of one system than this is a shared one and links nobody. -#}
{% macro identity_shared_value_limit() -%} 5 {%- endmacro %}

{#- The same for a value that includes the name: beyond it stands no customer, but a filler. -#}
{% macro identity_shared_name_limit() -%} 20 {%- endmacro %}

{% macro identity_rule_order(rule) -%}
    array_position(
        array[
            'merged_into', 'external_id', 'tax_id', 'registration_id', 'national_id', 'gtin',
            'product_number', 'tax_id_and_name', 'number_and_name', 'written_alike',
            'name_and_email', 'name_and_phone', 'name_and_website', 'name_and_customer',
            'name_and_postal_code', 'name_and_town'
        ],
        {{ rule }}
    )
{%- endmacro %}

{#- How certain a link is. Keys are; a rule leaves a doubt that a person's ruling may use. -#}
{% macro identity_rule_probability() -%}
    case
        when not is_rule then 1
        when rule = 'name_and_town' then 0.98
        else 0.99
    end::numeric(6, 5)
{%- endmacro %}

{#- The best link of each pair that no clash stands against. -#}
{% macro identity_links_of(pairs) -%}
with

pairs as (
    select * from {{ pairs }}
    where clash is null
),

strongest_links as (
    select distinct on (left_record, right_record)
        left_record,
        right_record,
        case when is_rule then 'rule' else 'key' end as method,
        rule,
        {{ identity_rule_probability() }} as probability
    from pairs
    order by left_record asc, right_record asc, {{ identity_rule_order('rule') }} asc
)

select * from strongest_links
{%- endmacro %}

{#- Pairs that share a key and are clearly two; what is linked anyway is no question for a person. -#}
{% macro identity_clashes_of(pairs, links) -%}
with

pairs as (
    select * from {{ pairs }}
),

links as (
    select * from {{ links }}
),

clashes as (
    select distinct on (left_record, right_record)
        left_record,
        right_record,
        rule,
        clash as reason
    from pairs
    where
        clash is not null
        and not exists (
            select from links
            where
                links.left_record = pairs.left_record
                and links.right_record = pairs.right_record
        )
    order by left_record asc, right_record asc, {{ identity_rule_order('rule') }} asc
)

select * from clashes
{%- endmacro %}

{#- Every value that a record may share with another. Where `first_word` is given, records of one
    system that differ in it show that a value is a shared one. -#}
{% macro identity_compared_values(values, first_word='null::text') -%}
compared_values as (
    select
        record,
        source_system,
        kind,
        {{ first_word }} as first_word,
        common.rule,
        common.compared_value,
        common.largest_use
    from records
    cross join lateral (
        {{ values }}
    ) as common (rule, compared_value, largest_use)
    where common.compared_value is not null
)
{%- endmacro %}

{#- Every pair of records that share a value, unless the value stands for nobody in particular: on
    too many records of one system, or under different names there. -#}
{% macro identity_value_pairs() -%}
every_hashed_value as (
    select
        *,
        {{ identity_value_hash('rule', 'compared_value') }} as value_hash
    from compared_values
),

hashed_values as (
    select * from every_hashed_value
    where {{ only_affected(['value_hash']) }}
),

uses as (
    select
        value_hash,
        count(*) as use_count,
        count(*) <= min(largest_use) and coalesce(min(first_word) = max(first_word), true)
            as is_of_one
    from hashed_values
    group by value_hash, source_system
),

shared_values as (
    select value_hash
    from uses
    group by value_hash
    having sum(use_count) > 1 and bool_and(is_of_one)
),

held_values as materialized (
    select
        held.value_hash,
        held.rule,
        held.compared_value,
        held.record,
        held.kind
    from hashed_values as held
    inner join shared_values on held.value_hash = shared_values.value_hash
),

value_pairs as (
    select
        one.record as one,
        other.record as other,
        one.kind as one_kind,
        other.kind as other_kind,
        one.rule,
        one.value_hash
    from held_values as one
    inner join held_values as other
        on
            one.value_hash = other.value_hash
            and one.record < other.record
            and one.rule = other.rule
            and one.compared_value = other.compared_value
)
{%- endmacro %}
