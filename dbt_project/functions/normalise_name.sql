{%- set forms = identity_legal_forms() -%}
select nullif(
    regexp_replace(
        regexp_replace(
            {{ function('fold_company_name') }}(value),
            '( (and|{{ forms.at_end | join("|") }}))+$',
            ''
        ),
        '^(({{ forms.at_start | join("|") }}) )+(?=.)',
        ''
    ),
    ''
)
