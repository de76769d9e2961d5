select nullif(
    btrim(
        regexp_replace(
            ' ' || {{ function('blank_signs') }}(translate({{ function('fold_text') }}(value), '.''`', '')) || ' ',
            '^ (?:(?:mrs?|ms|miss|mx|dr|prof|sir|dame|herr|frau|fru|hr|frk|ing|dipl|mag|med|rev) )+(?=.)| (?:(?:jr|sr|iii?|phd|md|mba|esq) )+$',
            ' ',
            'g'
        )
    ),
    ''
)
