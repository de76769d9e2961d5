select nullif(
    btrim(
        regexp_replace(
            ' '
            || {{ identity_call('blank_signs') }}(
                translate({{ identity_call('fold_text') }}(value), '.''`', '')
            )
            || ' ',
            '^ (?:(?:mrs?|ms|miss|mx|dr|prof|sir|dame|herr|frau|fru|hr|frk|ing|dipl|mag|med|rev) )+'
            '(?=.)| (?:(?:jr|sr|iii?|phd|md|mba|esq) )+$'
            '|(?<=[^ ]) (?:junior|senior) $',
            ' ',
            'g'
        )
    ),
    ''
)
