{#
    What each incremental mart depends on, as queries that return the keys of its documents. Old
    parents of moved lines are found in the line mart of the slot, which is always built later.
#}

{#- Records whose customer changed. -#}
{% macro changed_records(entity) -%}
    (
        select distinct source_system, source_key
        from {{ marts_changed(source('identity', 'customer_crosswalk')) }} as crosswalk
        where entity = '{{ entity }}'
    )
{%- endmacro %}

{#- CRM documents that changed themselves or belong to another customer now. -#}
{% macro changed_crm_documents(relation) -%}
    (
        select * from {{ relation }}
        where
            version > {{ marts_watermark() }}
            or (source_system, account_id) in (select * from {{ changed_records('accounts') }} as changed)
    )
{%- endmacro %}

{% macro affected_orders() %}
    {%- set queries = [] -%}
    {%- set orders = ref('stg_orders') -%}
    {%- set sales_orders = changed_crm_documents(ref('stg_sales_orders')) -%}
    {%- set quotes = changed_crm_documents(ref('stg_quotes')) -%}
    {%- do queries.append("select source_system, order_id from " ~ marts_changed(orders) ~ " as changed") -%}
    {%- do queries.append(
        "select source_system, order_id from " ~ marts_changed(ref('stg_order_lines')) ~ " as changed"
    ) -%}
    {%- set previous_lines = marts_previous('order_lines') -%}
    {%- if previous_lines -%}
        {%- do queries.append(
            "select line.source_system, line.order_id from " ~ previous_lines ~ " as line inner join "
            ~ marts_changed(ref('stg_order_lines')) ~ " as changed on line.source_system = changed.source_system"
            ~ " and line.order_line_id = changed.source_key"
        ) -%}
    {%- endif -%}
    {%- do queries.append(
        "select orders.source_system, orders.order_id from " ~ orders ~ " as orders inner join "
        ~ changed_records('customers') ~ " as changed on orders.source_system = changed.source_system"
        ~ " and orders.customer_id = changed.source_key"
    ) -%}
    {%- for number, document, document_number in [
        ('order_number', sales_orders, 'erp_order_number'),
        ('external_reference', sales_orders, 'order_number'),
        ('external_reference', quotes, 'quote_number'),
    ] -%}
        {%- do queries.append(
            "select orders.source_system, orders.order_id from " ~ orders ~ " as orders inner join "
            ~ document ~ " as changed on orders." ~ number ~ " = changed." ~ document_number
        ) -%}
    {%- endfor -%}
    {%- for key, document in [('sales_order_id', sales_orders), ('quote_id', quotes)] -%}
        {%- do queries.append(
            "select orders.source_system, orders.order_id from " ~ this ~ " as orders inner join "
            ~ document ~ " as changed on orders.crm_source_system = changed.source_system and orders."
            ~ key ~ " = changed." ~ key
        ) -%}
    {%- endfor -%}
    {%- for role in ['bill_to', 'ship_to'] -%}
        {%- do queries.append(
            "select orders.source_system, orders.order_id from " ~ orders ~ " as orders inner join "
            ~ marts_changed(ref('stg_addresses')) ~ " as changed on orders.source_system ="
            ~ " changed.source_system and orders." ~ role ~ "_address_id = changed.source_key"
        ) -%}
    {%- endfor -%}
    {%- do queries.append("select source_system, key as order_id from " ~ touched_keys('order') ~ " as touched") -%}
    {%- do queries.append(affected_by_rates('order_date')) -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Orders with a line whose shipped, invoiced or returned quantity may have changed. -#}
{% macro affected_order_lines() %}
    {%- set queries = ["select source_system, key as order_id from " ~ touched_keys('order') ~ " as touched"] -%}
    {%- for kind in ['shipment', 'invoice', 'return'] -%}
        {%- set headers = ref('stg_' ~ kind ~ 's') -%}
        {%- set lines = ref('stg_' ~ kind ~ '_lines') -%}
        {%- set order_lines = ref('stg_order_lines') -%}
        {%- do queries.append(
            "select order_line.source_system, order_line.order_id from " ~ marts_changed(lines)
            ~ " as changed inner join " ~ order_lines ~ " as order_line on changed.source_system ="
            ~ " order_line.source_system and changed.order_line_id = order_line.source_key"
        ) -%}
        {%- do queries.append(
            "select order_line.source_system, order_line.order_id from " ~ marts_changed(headers)
            ~ " as changed inner join " ~ lines ~ " as line on changed.source_system = line.source_system"
            ~ " and changed.source_key = line." ~ kind ~ "_id inner join " ~ order_lines ~ " as order_line on"
            ~ " line.source_system = order_line.source_system and line.order_line_id = order_line.source_key"
        ) -%}
        {%- set previous = marts_previous(kind ~ '_lines') -%}
        {%- if previous -%}
            {%- do queries.append(
                "select line.source_system, order_line.order_id from " ~ previous ~ " as line inner join "
                ~ marts_changed(lines) ~ " as changed on line.source_system = changed.source_system and line."
                ~ kind ~ "_line_id = changed.source_key inner join " ~ order_lines ~ " as order_line on"
                ~ " line.source_system = order_line.source_system"
                ~ " and line.order_line_id = order_line.source_key"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Shipments, invoices or returns: changed themselves, or through their lines, customer or order. -#}
{% macro affected_documents(kind, has_amounts_on=none) %}
    {%- set headers = ref('stg_' ~ kind ~ 's') -%}
    {%- set lines = ref('stg_' ~ kind ~ '_lines') -%}
    {%- set key = kind ~ '_id' -%}
    {%- set orders = touched_keys('order') -%}
    {%- set queries = [
        "select source_system, " ~ key ~ " from " ~ marts_changed(headers) ~ " as changed",
        "select source_system, " ~ key ~ " from " ~ marts_changed(lines) ~ " as changed",
        "select document.source_system, document." ~ key ~ " from " ~ headers ~ " as document inner join "
            ~ changed_records('customers') ~ " as changed on document.source_system = changed.source_system"
            ~ " and document.customer_id = changed.source_key",
        "select document.source_system, document." ~ key ~ " from " ~ headers ~ " as document inner join "
            ~ orders ~ " as touched on document.source_system = touched.source_system"
            ~ " and document.order_id = touched.key",
        "select line.source_system, line." ~ key ~ " from " ~ orders ~ " as touched inner join "
            ~ ref('stg_order_lines') ~ " as order_line on touched.source_system = order_line.source_system"
            ~ " and touched.key = order_line.order_id inner join " ~ lines ~ " as line on"
            ~ " order_line.source_system = line.source_system and order_line.source_key = line.order_line_id",
    ] -%}
    {%- set previous = marts_previous(kind ~ '_lines') -%}
    {%- if previous -%}
        {%- do queries.append(
            "select line.source_system, line." ~ key ~ " from " ~ previous ~ " as line inner join "
            ~ marts_changed(lines) ~ " as changed on line.source_system = changed.source_system and line."
            ~ kind ~ "_line_id = changed.source_key"
        ) -%}
        {%- do queries.append(
            "select line.source_system, line." ~ key ~ " from " ~ previous ~ " as line inner join " ~ orders
            ~ " as touched on line.source_system = touched.source_system and line.order_id = touched.key"
        ) -%}
    {%- endif -%}
    {%- if has_amounts_on -%}
        {%- do queries.append(affected_by_rates(has_amounts_on)) -%}
    {%- endif -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Lines follow their document. -#}
{% macro affected_document_lines(kind) %}
    {{- affected_keys([
        "select source_system, key as " ~ kind ~ "_id from " ~ touched_keys(kind) ~ " as touched",
    ]) -}}
{% endmacro %}

{#- Quotes and opportunities: changed themselves, or through their customer or the orders they led to. -#}
{% macro affected_crm_documents(kind, plural, date_column) %}
    {{- affected_keys([
        "select source_system, " ~ kind ~ "_id from " ~ changed_crm_documents(ref('stg_' ~ plural)) ~ " as changed",
        "select source_system, key from " ~ touched_keys(kind) ~ " as touched",
        affected_by_rates(date_column),
    ]) -}}
{% endmacro %}

{% macro affected_complaints() %}
    {%- set cases = ref('stg_cases') -%}
    {{- affected_keys([
        "select source_system, case_id from " ~ changed_crm_documents(cases) ~ " as changed",
        "select complaint.source_system, complaint.case_id from " ~ cases ~ " as complaint inner join "
            ~ touched_keys('order_number') ~ " as touched on complaint.order_number = touched.key",
    ]) -}}
{% endmacro %}

{#- Customers whose records came, went, changed or moved. -#}
{% macro changed_customers(entities) -%}
    {%- set crosswalk = source('identity', 'customer_crosswalk') -%}
    select customer_id from {{ marts_changed(crosswalk) }} as changed
    {%- for entity, relation, key in entities %}
    union all
    select crosswalk.customer_id
    from {{ marts_changed(relation) }} as changed
    inner join {{ crosswalk }} as crosswalk
        on changed.source_system = crosswalk.source_system and changed.{{ key }} = crosswalk.source_key
    where crosswalk.is_current and crosswalk.entity = '{{ entity }}'
    {%- endfor %}
{%- endmacro %}

{% macro affected_customers() %}
    {%- set crosswalk = source('identity', 'customer_crosswalk') -%}
    {%- set queries = [
        changed_customers([
            ('accounts', ref('stg_accounts'), 'source_key'),
            ('customers', ref('stg_customers'), 'source_key'),
        ]),
        "select key from " ~ touched_keys('customer') ~ " as touched",
    ] -%}
    {%- for entity, relation, parent in [
        ('accounts', ref('stg_accounts'), 'parent_account_id'),
        ('customers', ref('stg_customers'), 'parent_customer_id'),
    ] -%}
        {%- do queries.append(
            "select crosswalk.customer_id from " ~ relation ~ " as child inner join " ~ changed_records(entity)
            ~ " as changed on child.source_system = changed.source_system and child." ~ parent
            ~ " = changed.source_key inner join " ~ crosswalk ~ " as crosswalk on child.source_system ="
            ~ " crosswalk.source_system and child.source_key = crosswalk.source_key where"
            ~ " crosswalk.is_current and crosswalk.entity = '" ~ entity ~ "'"
        ) -%}
    {%- endfor -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Sites and contacts: by their customer's records, or the customer they belonged to before. -#}
{% macro affected_customer_parts(entity, owners) %}
    {%- set part = ref('stg_' ~ entity) -%}
    {%- set relations = [] -%}
    {%- for owner, key in owners -%}
        {%- do relations.append((owner, part, key)) -%}
    {%- endfor -%}
    {%- if entity == 'addresses' -%}
        {%- do relations.append(('accounts', ref('stg_accounts'), 'source_key')) -%}
    {%- endif -%}
    {{- affected_keys([
        changed_customers(relations),
        "select part.customer_id from " ~ this ~ " as part cross join lateral unnest(part.source_records)"
            ~ " as record (name) inner join " ~ marts_changed(part) ~ " as changed on record.name ="
            ~ " changed.source_system || '|" ~ entity ~ "|' || changed.source_key",
    ] + (reidentified_contacts(owners) if entity == 'contacts' else [])) -}}
{% endmacro %}

{#- The customers of contacts that became another person, by the records that they belong to. -#}
{% macro reidentified_contacts(owners) %}
    {%- set queries = [] -%}
    {%- for entity, key in owners -%}
        {%- do queries.append(
            "select crosswalk.customer_id from " ~ marts_changed(source('identity', 'contact_crosswalk'))
            ~ " as changed inner join " ~ ref('stg_contacts') ~ " as contact on changed.source_system ="
            ~ " contact.source_system and changed.source_key = contact.source_key inner join "
            ~ source('identity', 'customer_crosswalk') ~ " as crosswalk on contact.source_system ="
            ~ " crosswalk.source_system and contact." ~ key ~ " = crosswalk.source_key where"
            ~ " crosswalk.is_current and crosswalk.entity = '" ~ entity ~ "'"
        ) -%}
    {%- endfor -%}
    {{- return(queries) -}}
{% endmacro %}

{#- The first of several orders: the oldest, then by key. -#}
{% macro order_of_orders() -%}
    orders.order_date asc nulls last, orders.source_system asc, orders.order_id asc
{%- endmacro %}
