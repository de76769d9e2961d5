select replace(substring({{ function('fold_words') }}(value), '\m[0-9]+(?: ?[a-z]\M)?'), ' ', '')
