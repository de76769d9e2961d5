select {{ identity_call('strip_legal_form') }}({{ identity_call('fold_company_name') }}(value))
