{#
    One definition of how names, numbers and postal codes are compared. The foldings are spelled
    out, since `lower` and character classes know only ASCII in a database of the C locale.
#}

{#- Lower case without diacritics: Møller, MOELLER and Möller become moller; ß and ẞ become ss. -#}
{% macro identity_fold(text) -%}
    {%- set decomposed = "regexp_replace(normalize(left(" ~ text ~ ", 500), nfkd), '[\\u0300-\\u036f]', '', 'g')" -%}
    {%- set cyrillic = ['АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ', 'абвгдежзийклмнопрстуфхцчшщъыьэюя'] -%}
    {%- set greek = ['ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς', 'αβγδεζηθικλμνξοπρστυφχψωσ'] -%}
    {%- set letters = ['øØłŁđĐðÐıæÆœŒ', 'oollddddiaaoo'] -%}
    {%- set single = "translate(" ~ decomposed ~ ", '" ~ letters[0] ~ cyrillic[0] ~ greek[0] ~ "', '"
        ~ letters[1] ~ cyrillic[1] ~ greek[1] ~ "')" -%}
    {%- set sharp = "replace(replace(" ~ single ~ ", 'ß', 'ss'), 'ẞ', 'ss')" -%}
    {%- set thorn = "replace(replace(" ~ sharp ~ ", 'þ', 'th'), 'Þ', 'th')" -%}
    replace(replace(replace(replace(lower({{ thorn }}), 'oe', 'o'), 'ae', 'a'), 'ue', 'u'), 'aa', 'a')
{%- endmacro %}

{#- A company name without legal form, punctuation, case and diacritics; null when nothing is left. -#}
{% macro identity_normalise_name(text) -%}
    {%- set punctuation = "[\\u0001-\\u002f\\u003a-\\u0060\\u007b-\\u00bf\\u2000-\\u206f\\u3000-\\u303f]+" -%}
    {%- set joined = "replace(regexp_replace(" ~ identity_fold(text) ~ ", '[.''’`´]', '', 'g'), '&', ' and ')" -%}
    {%- set spaced = "btrim(regexp_replace(" ~ joined ~ ", '" ~ punctuation ~ "', ' ', 'g'))" -%}
    {%- set conjoined = "regexp_replace(" ~ spaced ~ ", ' (und|og|och|et) ', ' and ', 'g')" -%}
    {%- set forms = identity_legal_forms() | join('|') -%}
    {%- set unended = "regexp_replace(" ~ conjoined ~ ", '( (and co|" ~ forms ~ "))+$', '')" -%}
    {%- set bare = "regexp_replace(" ~ unended ~ ", '^(ab|as|oy|the|firma) (?=.)', '')" -%}
    nullif({{ bare }}, '')
{%- endmacro %}

{#- Nordic, German, British, American, Romance, Dutch and Polish legal forms, as folded. -#}
{% macro identity_legal_forms() %}
    {{- return([
        'as', 'a s', 'asa', 'ans', 'da', 'ba', 'sa', 'nuf', 'aps', 'ap s', 'ivs', 'ab', 'hb', 'kb',
        'publ', 'oy', 'oyj', 'ky', 'ehf', 'hf',
        'gmbh', 'mbh', 'ag', 'kg', 'kga', 'ohg', 'ug', 'haftungsbeschrankt', 'gbr', 'ek', 'ev', 'se',
        'gesellschaft mit beschrankter haftung', 'aktiengesellschaft', 'aktiebolag', 'aktieselskab',
        'ltd', 'limited', 'plc', 'llp', 'lp', 'cic', 'inc', 'incorporated', 'corp', 'corporation',
        'co', 'company', 'llc', 'pllc', 'pte', 'pty',
        'sas', 'sarl', 'srl', 'spa', 's p a', 'sl', 'slu', 'lda', 'bv', 'nv', 'b v', 'n v', 'vof', 'cv',
        'sp z oo', 'sp z o o', 'spolka z oo', 'kft', 'zrt', 'sro', 'doo',
    ]) -}}
{% endmacro %}

{#- A tax or registration number as compared: upper case letters and digits only. -#}
{% macro identity_normalise_number(text) -%}
    nullif(upper(regexp_replace({{ text }}, '[^0-9A-Za-z]', '', 'g')), '')
{%- endmacro %}

{#- True when a normalised number can be one: long enough, mostly digits, not a filler. -#}
{% macro identity_is_valid_number(number) -%}
    (
        length({{ number }}) between 6 and 20
        and length(regexp_replace({{ number }}, '[^0-9]', '', 'g')) >= 5
        and regexp_replace({{ number }}, '[^0-9]', '', 'g') !~ '^(.)\1*$'
        and regexp_replace({{ number }}, '[^0-9]', '', 'g') !~ '^(0?123456(7(8(90?)?)?)?)$'
    )
{%- endmacro %}

{#- A postal code as compared: without a country prefix (N-0150, SE-111 22), spaces and dashes. -#}
{% macro identity_normalise_postal_code(text) -%}
    nullif(
        regexp_replace(
            regexp_replace(upper(btrim({{ text }})), '^[A-Z]{1,2}[- ]+(?=[0-9])', ''),
            '[^0-9A-Z]', '', 'g'
        ),
        ''
    )
{%- endmacro %}

{#- A street, town or person's name as compared: folded, without punctuation; null when nothing is left. -#}
{% macro identity_normalise_address(text) -%}
    nullif(
        btrim(
            regexp_replace(
                {{ identity_fold(text) }},
                '[\u0001-\u002f\u003a-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'
            )
        ),
        ''
    )
{%- endmacro %}
