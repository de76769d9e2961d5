{#- Dots and apostrophes join (G.m.b.H., O'Neill), every other sign parts. -#}
select regexp_replace(
    {{ function('fold_words') }}(
        replace(replace(regexp_replace(left(value, 500), '[.''’‘`´]', '', 'g'), '&', ' and '), '+', ' and ')
    ),
    ' (und|og|och|et|en|y|e|u|ja) (?=.)',
    ' and ',
    'g'
)
