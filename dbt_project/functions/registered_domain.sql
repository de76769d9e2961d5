{#- Of an e-mail address, a URL or a host name: what was registered, without sub-domains. -#}
select substring(
    split_part(
        split_part(
            split_part(
                split_part(split_part(lower(btrim(left(value, 500))), '//', -1), '@', -1), '/', 1
            ),
            '?',
            1
        ),
        ':',
        1
    ),
    '[^.\s]+\.(?:(?:co|com|org|net|gov|ac|edu|ne|or|gv)\.[a-z]{2}|[^.\s]{2,})$'
)
