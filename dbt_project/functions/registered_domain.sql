{#- Of an e-mail address, a URL or a host name: what was registered, without sub-domains. -#}
select substring(
    regexp_replace(lower(btrim(left(value, 500))), '^([a-z]+:)?//|^.*@|[/?#:\s].*$', '', 'g'),
    '((?:[^.\s]+)\.(?:(?:co|com|org|net|gov|ac|edu|ne|or|gv)\.[a-z]{2}|[^.\s]{2,}))$'
)
