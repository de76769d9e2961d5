{#- The foldings are spelled out, since `lower` knows only ASCII in a database of the C locale.
    Most text is ASCII and takes the short way. -#}
{%- set signs = "[\\u0080-\\u00bf\\u02b0-\\u02ff\\u2000-\\u206f\\u20a0-\\u2bff\\u3000-\\u303f"
    ~ "\\ufe00-\\ufe0f\\U0001f000-\\U0001faff]" -%}
{%- set apart = "regexp_replace(normalize(translate(left(value, 500), '’‘´', ''''''''), nfkd), "
    ~ "'[\\u0300-\\u036f]', '', 'g')" -%}
{%- set cyrillic = ['АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ', 'абвгдежзийклмнопрстуфхцчшщъыьэюя'] -%}
{%- set greek = ['ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς', 'αβγδεζηθικλμνξοπρστυφχψωσ'] -%}
{%- set latin = ['øØłŁđĐðÐıæÆœŒ', 'oollddddiaaoo'] -%}
{%- set folded = "translate(" ~ apart ~ ", '" ~ latin[0] ~ cyrillic[0] ~ greek[0] ~ "', '"
    ~ latin[1] ~ cyrillic[1] ~ greek[1] ~ "')" -%}
{%- set sharp = "replace(replace(" ~ folded ~ ", 'ß', 'ss'), 'ẞ', 'ss')" -%}
{%- set thorn = "replace(replace(" ~ sharp ~ ", 'þ', 'th'), 'Þ', 'th')" -%}
{%- set short = "case when octet_length(value) = length(value) then left(value, 500) "
    ~ "else regexp_replace(" ~ thorn ~ ", '" ~ signs ~ "', ' ', 'g') end" -%}
select replace(
    replace(replace(replace(lower({{ short }}), 'oe', 'o'), 'ae', 'a'), 'ue', 'u'), 'aa', 'a'
)
