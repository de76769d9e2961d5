{#- Fails with every row that the condition holds for. -#}
{% test no_rows(model, condition) %}
select * from {{ model }}
where {{ condition }}
{% endtest %}
