{#- Without the database's name inside a function, a copy of the database under another name works. -#}
select {{ function('blank_signs').include(database=false) }}({{ function('fold_text').include(database=false) }}(value))
