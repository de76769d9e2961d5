{#- Eight, twelve, thirteen or fourteen digits whose last one checks the others. -#}
select case
    when value ~ '^(\d{8}|\d{12,14})$' and value !~ '^0+$'
        then (
            3 * (
                substr(lpad(value, 14, '0'), 1, 1)::int + substr(lpad(value, 14, '0'), 3, 1)::int
                + substr(lpad(value, 14, '0'), 5, 1)::int + substr(lpad(value, 14, '0'), 7, 1)::int
                + substr(lpad(value, 14, '0'), 9, 1)::int + substr(lpad(value, 14, '0'), 11, 1)::int
                + substr(lpad(value, 14, '0'), 13, 1)::int
            )
            + substr(lpad(value, 14, '0'), 2, 1)::int + substr(lpad(value, 14, '0'), 4, 1)::int
            + substr(lpad(value, 14, '0'), 6, 1)::int + substr(lpad(value, 14, '0'), 8, 1)::int
            + substr(lpad(value, 14, '0'), 10, 1)::int + substr(lpad(value, 14, '0'), 12, 1)::int
            + substr(lpad(value, 14, '0'), 14, 1)::int
        ) % 10 = 0
    else false
end
