select nullif(
    btrim(
        regexp_replace(
            {{ function('fold_text') }}(value),
            '[\u0001-\u002f\u003a-\u0060\u007b-\u00bf\u02b0-\u02ff\u2000-\u206f\u20a0-\u2bff\u3000-\u303f\ufe00-\ufe0f\U0001f000-\U0001faff]+',
            ' ',
            'g'
        )
    ),
    ''
)
