select nullif(
    btrim(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    ' ' || {{ function('fold_words') }}(value) || ' ',
                    '( (?:no|nr|apt|apartment|suite|ste|unit|flat|floor|etg|etage|c o))?( [0-9]+( ?[a-z])?(?= ))+',
                    '',
                    'g'
                ),
                '(?<=[a-z]{2})str (?=$)|(?<=[a-z]{2})strasse (?=$)| str (?=$)| strasse (?=$)',
                ' strasse ',
                'g'
            ),
            ' +',
            ' ',
            'g'
        )
    ),
    ''
)
