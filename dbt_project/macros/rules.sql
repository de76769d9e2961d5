{#- The row rules of an entity, from the yml of its incoming model. A rule is a name and the
    condition under which a row breaks it. -#}
{% macro row_rules(columns) -%}
    {%- set rules = [] -%}
    {%- set alive = "operation = 'upsert' and is_deleted is not true and " -%}
    {%- for column in columns -%}
        {%- set name, type, meta = column.name, column.data_type, column.config.meta -%}
        {%- if meta.key -%}
            {%- do rules.append((name ~ '_is_present', name ~ ' is null' ~ unread(name, type))) -%}
        {%- elif meta.required -%}
            {%- do rules.append((name ~ '_is_present', alive ~ name ~ ' is null' ~ unread(name, type))) -%}
        {%- endif -%}
        {%- if type != 'text' -%}
            {%- do rules.append((name ~ '_is_readable', 'given_' ~ name ~ ' is not null and ' ~ name ~ ' is null')) -%}
        {%- endif -%}
        {%- do rules.extend(value_rules(name, type, meta)) -%}
    {%- endfor -%}
    {{ return(rules) }}
{%- endmacro %}


{#- A value that is there but cannot be read is not missing. -#}
{% macro unread(name, type) -%}
    {{ return('' if type == 'text' else ' and given_' ~ name ~ ' is null') }}
{%- endmacro %}


{#- From where on no amount, price or quantity is taken, by type: beyond it the sums and conversions
    that are made of it would not fit their columns any more, and one row would stop everything. -#}
{% macro largest_values() -%}
    {{ return({'numeric(20,4)': '1e13', 'numeric(20,6)': '1e11'}) }}
{%- endmacro %}


{% macro value_rules(name, type, meta) -%}
    {%- set rules = [] -%}
    {%- if type in ('date', 'timestamptz') -%}
        {%- do rules.append((name ~ '_is_plausible', 'extract(year from ' ~ name ~ ') not between 1901 and 2200')) -%}
    {%- endif -%}
    {%- if type in largest_values() -%}
        {%- do rules.append((name ~ '_is_plausible', 'abs(' ~ name ~ ') >= ' ~ largest_values()[type])) -%}
    {%- endif -%}
    {%- if meta.accepted -%}
        {%- do rules.append((name ~ '_is_known', name ~ " not in ('" ~ meta.accepted | join("', '") ~ "')")) -%}
    {%- elif meta.reference == 'country' -%}
        {%- do rules.append((name ~ '_is_known', 'given_' ~ name ~ ' is not null and known_' ~ name ~ ' is null')) -%}
    {%- elif meta.reference == 'currency' -%}
        {%- do rules.append((name ~ '_is_known', name ~ ' not in (select code from ' ~ ref('currencies') ~ ')')) -%}
    {%- endif -%}
    {%- if meta.maximum is defined -%}
        {%- do rules.append((name ~ '_is_in_range', name ~ ' not between ' ~ meta.minimum ~ ' and ' ~ meta.maximum)) -%}
    {%- elif meta.minimum is defined -%}
        {%- do rules.append((name ~ '_is_in_range', name ~ ' < ' ~ meta.minimum)) -%}
    {%- elif meta.above is defined -%}
        {%- do rules.append((name ~ '_is_in_range', name ~ ' <= ' ~ meta.above)) -%}
    {%- endif -%}
    {{ return(rules) }}
{%- endmacro %}


{#- The names of the broken rules, or null. Nearly every row breaks none, so that is decided first
    and the list is only made for the others. -#}
{% macro failed_rules(columns) -%}
    {%- set rules = row_rules(columns) -%}
    case
        when invalid_columns is null
            {%- for rule in rules %}
            and ({{ rule[1] }}) is not true
            {%- endfor %}
            then null
        else
            array_remove(
                array[
                {%- for rule in rules %}
                    case when {{ rule[1] }} then '{{ rule[0] }}' end,
                {%- endfor %}
                    null
                ]
                || array(select name || '_is_readable' from unnest(invalid_columns) as name),
                null
            )
    end
{%- endmacro %}
