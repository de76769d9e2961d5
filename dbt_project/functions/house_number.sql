select replace(
    substring({{ identity_call('fold_words') }}(value), '\m[0-9]+(?: ?[a-z]\M)?'), ' ', ''
)
