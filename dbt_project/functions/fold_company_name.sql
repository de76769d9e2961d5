{#- Dots and apostrophes join (G.m.b.H., O'Neill), every other sign parts. Legal forms of several
    words become their codes, so that a form is one word. -#}
{%- set forms = identity_legal_forms() -%}
{%- set joined = "translate(" ~ identity_call('fold_text') ~ "(value), '.''`', '')" -%}
{%- set spoken = "replace(replace(" ~ joined ~ ", '&', ' and '), '+', ' and ')" -%}
{%- set conjoined = "regexp_replace(" ~ identity_call('blank_signs') ~ "(" ~ spoken ~ ") || ' ', "
    ~ "' (?:und|og|och|et|en|y|e|u|ja) ', ' and ', 'g')" -%}
{%- set coded = namespace(name=conjoined) -%}
{%- for form in forms.of_words -%}
    {%- set coded.name = "replace(" ~ coded.name
        ~ ", ' " ~ form.form ~ " ', ' " ~ form.code ~ " ')" -%}
{%- endfor -%}
select rtrim({{ coded.name }})
