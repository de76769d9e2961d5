select nullif(upper(regexp_replace(left(value, 100), '[^0-9A-Za-z]', '', 'g')), '')
