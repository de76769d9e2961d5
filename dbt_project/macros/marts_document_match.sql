{#
    Whether quote, order, invoice and shipment agree. A class says the gravest thing that is wrong:
    of several the first of missing_invoice, over_invoiced, item_substituted, qty_variance,
    price_variance (terms_variance where the currencies differ, which leaves no price to compare),
    terms_variance, missing_quote, rounding_only, within_tolerance; else exact.
#}

{#- Chains that the ledger wrote anew; every change of a document in one does that. -#}
{% macro affected_chains() %}
    {{- affected_keys(["select key as chain_id from " ~ touched_keys('chain') ~ " as touched"]) -}}
{% endmacro %}

{#- The tolerances in one row, as <field>_absolute and <field>_relative. -#}
{% macro document_tolerances() -%}
    select
    {%- for field in ['quantity', 'net_amount', 'rounding', 'discount_pct', 'tax_rate'] %}
        coalesce(max(absolute) filter (where field = '{{ field }}'), 0) as {{ field }}_absolute,
        coalesce(max(relative) filter (where field = '{{ field }}'), 0) as {{ field }}_relative
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
    from {{ ref('document_tolerances') }}
{%- endmacro %}

{#- Whether a difference is larger than its tolerance; without a value nothing is compared. -#}
{% macro exceeds(field, difference, value) -%}
    coalesce(
        abs({{ difference }})
        > greatest(tolerances.{{ field }}_absolute, tolerances.{{ field }}_relative * abs({{ value }})),
        false
    )
{%- endmacro %}

{#- The part of a line's amount that belongs to some of its units. -#}
{% macro share_of_amount(line, quantity) -%}
    case
        when {{ line }}.quantity = 0 then {{ line }}.net_amount
        else {{ line }}.net_amount * ({{ quantity }} / {{ line }}.quantity)
    end
{%- endmacro %}
