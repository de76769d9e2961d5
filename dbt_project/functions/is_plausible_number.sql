{#- Of six to twenty characters with five digits or more, and neither 1111111 nor 123456789. -#}
select value ~ '^(?=.{6,20}$)(?:[A-Z]*[0-9]){5}' and value !~ '^[A-Z]*(?:0?123456(?:7(?:8(?:90?)?)?)?|([0-9])\1*)[A-Z]*$'
