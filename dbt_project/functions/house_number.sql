select replace(
    (regexp_match({{ function('fold_words') }}(value), '(?:^| )([0-9]+(?: ?[a-z](?= |$))?)'))[1], ' ', ''
)
