select nullif(
    btrim(
        regexp_replace(
            ' ' || {{ function('fold_words') }}(regexp_replace(left(value, 500), '[.''’‘`´]', '', 'g')) || ' ',
            '^ ((mr|mrs|ms|miss|mx|dr|prof|sir|dame|herr|frau|fru|hr|frk|ing|dipl|mag|med|rev) )+(?=.)|( (jr|sr|ii|iii|phd|md|mba|esq))+ $',
            ' ',
            'g'
        )
    ),
    ''
)
