{#- All of it zeros is a number, too. -#}
select nullif(
    regexp_replace(upper(regexp_replace(left(value, 200), '[\s_./\\-]', '', 'g')), '^0+(?=.)', ''),
    ''
)
