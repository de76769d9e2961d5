{#- The foldings are spelled out, since `lower` knows only ASCII in a database of the C locale.
    The argument is used once in every function here: only then does Postgres inline the call. -#}
{%- set decomposed = "regexp_replace(normalize(left(value, 500), nfkd), '[\\u0300-\\u036f]', '', 'g')" -%}
{%- set cyrillic = ['АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ', 'абвгдежзийклмнопрстуфхцчшщъыьэюя'] -%}
{%- set greek = ['ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς', 'αβγδεζηθικλμνξοπρστυφχψωσ'] -%}
{%- set latin = ['øØłŁđĐðÐıæÆœŒ', 'oollddddiaaoo'] -%}
{%- set folded = "translate(" ~ decomposed ~ ", '" ~ latin[0] ~ cyrillic[0] ~ greek[0] ~ "', '"
    ~ latin[1] ~ cyrillic[1] ~ greek[1] ~ "')" -%}
{%- set sharp = "replace(replace(" ~ folded ~ ", 'ß', 'ss'), 'ẞ', 'ss')" -%}
{%- set thorn = "replace(replace(" ~ sharp ~ ", 'þ', 'th'), 'Þ', 'th')" -%}
select replace(replace(replace(replace(lower({{ thorn }}), 'oe', 'o'), 'ae', 'a'), 'ue', 'u'), 'aa', 'a')
