select nullif(
    btrim(
        regexp_replace(
            ' ' || {{ function('blank_signs').include(database=false) }}(translate({{ function('fold_text').include(database=false) }}(value), '.''`', '')) || ' ',
            '^ (?:(?:mrs?|ms|miss|mx|dr|prof|sir|dame|herr|frau|fru|hr|frk|ing|dipl|mag|med|rev) )+(?=.)| (?:(?:jr|sr|iii?|phd|md|mba|esq) )+$',
            ' ',
            'g'
        )
    ),
    ''
)
