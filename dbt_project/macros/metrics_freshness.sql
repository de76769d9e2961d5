{#- What the marts are made of: which staged entities reach which mart. -#}

{#- The staged entities that a node is made of, directly or by way of others. -#}
{% macro collect_entities(node_id, found, seen) %}
    {%- if node_id not in seen and node_id in graph.nodes -%}
        {%- do seen.append(node_id) -%}
        {%- set node = graph.nodes[node_id] -%}
        {%- if node.name.startswith('stg_') -%}
            {%- do found.append(node.name[4:]) -%}
        {%- else -%}
            {%- for parent in node.depends_on.nodes -%}
                {%- do collect_entities(parent, found, seen) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- A mart of this slot as the last run left it; none when it is to be built from nothing. -#}
{% macro marts_previous_unless_full(name) %}
    {%- if not execute -%} {{- return(none) -}} {%- endif -%}
    {{- return(none if should_full_refresh() else marts_previous(name)) -}}
{% endmacro %}

{#- One row per published mart that is made of staged entities, with their names. -#}
{% macro entities_of_marts() %}
    {%- if not execute -%}
    select null::text as mart, null::text[] as made_of
    {%- else -%}
    values
    {%- set listed = namespace(any=false) -%}
    {%- for node in graph.nodes.values() | sort(attribute='name') -%}
        {%- if
            node.resource_type == 'model' and 'marts' in node.tags
            and node.config.meta.get('published', true) and node.name != 'mart_freshness'
        -%}
            {%- set found = [] -%}
            {%- do collect_entities(node.unique_id, found, []) -%}
            {%- if found %}
    {{ ',' if listed.any }} ('{{ node.name }}', '{{ '{' ~ found | unique | sort | join(',') ~ '}' }}'::text[])
                {%- set listed.any = true -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- endif -%}
{% endmacro %}
