{#- Of a name that is folded already. -#}
{%- set forms = identity_legal_forms() -%}
select coalesce(
    {{ forms.at_end }} ->> nullif(split_part(value, ' ', -1), value),
    {{ forms.at_start }} ->> nullif(split_part(value, ' ', 1), value)
)
