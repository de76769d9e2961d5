select {{ function('blank_signs') }}({{ function('fold_text') }}(value))
