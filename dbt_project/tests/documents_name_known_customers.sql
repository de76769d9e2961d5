{{ config(tags=['integrity']) }}

-- Documents whose customer is not among the customers.
with

named as (
    {%- for mart in [
        'orders', 'invoices', 'shipments', 'returns', 'complaints', 'quotes', 'opportunities'
    ] %}
        select
            '{{ mart }}' as mart,
            customer_id
        from {{ ref(mart) }}
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

unknown as (
    select
        mart,
        customer_id
    from named
    where
        customer_id is not null
        and customer_id not in (select customer_id from {{ ref('customers') }})
)

select * from unknown
