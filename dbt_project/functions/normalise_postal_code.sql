select nullif(
    regexp_replace(
        regexp_replace(upper(btrim(left(value, 50))), '^[A-Z]{1,2}[- ]+(?=[0-9])', ''),
        '[^0-9A-Z]+', '', 'g'
    ),
    ''
)
