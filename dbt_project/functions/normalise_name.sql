select {{ function('strip_legal_form') }}({{ function('fold_company_name') }}(value))
