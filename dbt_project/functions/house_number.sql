select replace(substring({{ function('fold_words').include(database=false) }}(value), '\m[0-9]+(?: ?[a-z]\M)?'), ' ', '')
