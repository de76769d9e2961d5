{#- The parts of a record that every domain has in common. -#}

{% macro identity_record(source_system, entity, source_key) -%}
    {{ source_system }} || '|' || {{ entity }} || '|' || {{ source_key }}
{%- endmacro %}

{#- What is known of a value since it was standardised; the value is looked up as it was noted. -#}
{% macro identity_standard(alias, kind, country, value) -%}
    left join {{ source('identity', 'standard_values') }} as {{ alias }}
        on
            {{ alias }}.kind = '{{ kind }}'
            and {{ alias }}.country = coalesce({{ country }}, '')
            and {{ alias }}.value = {{ value }}
{%- endmacro %}

{#- An array without its nulls; null when nothing is left. -#}
{% macro identity_known(values) -%}
    nullif(array_remove(array[{{ values | join(', ') }}], null), '{}')
{%- endmacro %}

{#- One address in one text: street and house number, with the postal code or else the town. -#}
{% macro identity_address(street, postal_code, city) -%}
    {{ function('street_name') }}({{ street }})
    || coalesce(' ' || {{ function('house_number') }}({{ street }}), '')
    || '|'
    || coalesce(
        {{ function('normalise_postal_code') }}({{ postal_code }}),
        {{ function('fold_words') }}({{ city }}),
        ''
    )
{%- endmacro %}
