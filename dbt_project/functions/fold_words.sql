select {{ identity_call('blank_signs') }}({{ identity_call('fold_text') }}(value))
