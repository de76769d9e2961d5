select {{ function('strip_legal_form').include(database=false) }}({{ function('fold_company_name').include(database=false) }}(value))
