{%- set forms = identity_legal_forms() -%}
select {{ forms.codes }} ->> btrim(
    substring(
        {{ function('fold_company_name') }}(value),
        '(?:^(?:{{ forms.at_start | join("|") }}) | (?:{{ forms.at_end | join("|") }})(?: and co)?)$'
    )
)
