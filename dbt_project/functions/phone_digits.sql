{#- For numbers that phonenumbers has not read: digits, with the plus of an international one. -#}
select substring(
    regexp_replace(regexp_replace(left(value, 60), '\(0\)|[^0-9+]', '', 'g'), '^00', '+'),
    '^\+?[0-9]{5,15}'
)
