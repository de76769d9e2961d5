select nullif(
    btrim(
        regexp_replace(
            replace(
                replace(
                    regexp_replace(
                        ' ' || {{ identity_call('fold_words') }}(value) || ' ',
                        '(?: (?:no|nr|apt|apartment|suite|ste|unit|flat|floor|etg|etage))?'
                        '(?: [0-9]+(?: ?[a-z])?(?= ))+',
                        '',
                        'g'
                    ),
                    'strasse ',
                    ' strasse '
                ),
                'str ',
                ' strasse '
            ),
            ' {2,}',
            ' ',
            'g'
        )
    ),
    ''
)
