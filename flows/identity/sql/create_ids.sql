-- Components that no id is left for get a new one, in the order of their first records.
insert into created_ids (customer_id)
select nextval('identity.customer_id_numbers')::text
from components
where not exists (select from awards where awards.component = components.component);

-- Six digits to read well; longer numbers simply grow.
update created_ids
set customer_id = 'C' || repeat('0', greatest(6 - length(customer_id), 0)) || customer_id;

insert into awards (component, customer_id)
select
    waiting.component,
    fresh.customer_id
from (
    select
        component,
        row_number() over (order by first_record) as place
    from components
    where not exists (select from awards where awards.component = components.component)
) as waiting
inner join (
    select
        customer_id,
        row_number() over (order by length(customer_id), customer_id) as place
    from created_ids
) as fresh on waiting.place = fresh.place;
analyze awards;
