{#- Words sorted and once each: the order and the repetition of words do not count. -#}
select coalesce(
    array_agg(distinct word.expanded order by word.expanded) filter (
        where word.expanded <> all ({{ identity_stop_words() }})
    ),
    array_agg(distinct word.expanded order by word.expanded)
)
from (
    select coalesce({{ identity_abbreviations() }} ->> split.word, split.word) as expanded
    from unnest(string_to_array(value, ' ')) as split (word)
) as word
