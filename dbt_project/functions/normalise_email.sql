{#- What follows a plus sign is a note to oneself; what is no address at all is null. -#}
select substring(
    regexp_replace(lower(btrim(left(value, 320))), '^mailto:|\+[^@]*(?=@)', '', 'g'),
    '([^\s<>@,;"]+@[^\s<>@,;"]+\.[^\s<>@,;"]{2,})'
)
