{#- What every metric shares: which documents count, and the figures of the rule files. -#}

{#- The one predicate of all metrics: cancelled orders, and orders of intercompany and test customers,
    are not counted. -#}
{% macro is_countable(orders) -%}
    (not {{ is_called_off(orders ~ '.status') }} and {{ is_counted_customer(orders) }})
{%- endmacro %}

{% macro is_counted_customer(documents) -%}
    not exists (
        select from {{ ref('metric_uncounted_customers') }} as uncounted
        where
            uncounted.source_system = {{ documents }}.source_system
            and uncounted.customer_key = {{ documents }}.erp_customer_id
    )
{%- endmacro %}

{#- A line counts when something is ordered by it, and it was not called off. -#}
{% macro is_countable_line(lines) -%}
    ({{ lines }}.quantity is distinct from 0 and not {{ is_called_off(lines ~ '.status') }})
{%- endmacro %}

{% macro metric_setting(name) -%}
    (select settings.value from {{ ref('metric_settings') }} as settings where settings.setting = '{{ name }}')
{%- endmacro %}

{#- Hours between two moments; null when either is unknown. -#}
{% macro hours_between(earlier, later) -%}
    round((extract(epoch from {{ later }} - {{ earlier }}) / 3600)::numeric, 4)
{%- endmacro %}

{#- The day of a moment, whatever the session's time zone is. -#}
{% macro utc_date(moment) -%}
    ({{ moment }} at time zone 'UTC')::date
{%- endmacro %}
