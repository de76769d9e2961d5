{#- Control characters and punctuation become one blank. -#}
select nullif(
    btrim(regexp_replace(value, '[\u0001-\u002f\u003a-\u0060\u007b-\u007f]+', ' ', 'g')), ''
)
