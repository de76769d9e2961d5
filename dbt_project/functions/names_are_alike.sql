{#- A word in common, the same beginning, one the initials of the other, or half of their letter
    pairs; a name that is missing contradicts nothing. -#}
select
    left_name is null
    or right_name is null
    or string_to_array(left_name, ' ') && string_to_array(right_name, ' ')
    or left(replace(left_name, ' ', ''), 4) = left(replace(right_name, ' ', ''), 4)
    or replace(left_name, ' ', '') = regexp_replace(right_name, '(\S)\S*\s*', '\1', 'g')
    or replace(right_name, ' ', '') = regexp_replace(left_name, '(\S)\S*\s*', '\1', 'g')
    or (
        select
            coalesce(2.0 * count(*) filter (where places = 2) >= 0.5 * sum(places), false)
                as have_half_in_common
        from (
            select count(distinct side) as places
            from (
                select
                    1 as side,
                    substr(left_name, place, 2) as pair
                from generate_series(1, length(left_name) - 1) as place
                union all
                select
                    2 as side,
                    substr(right_name, place, 2) as pair
                from generate_series(1, length(right_name) - 1) as place
            ) as pairs
            group by pair
        ) as shared_pairs
    )
