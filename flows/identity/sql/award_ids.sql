-- Settle the claims that are the best one of their component and of their id at once.
with open_claims as (
    select
        claim.component,
        claim.customer_id,
        row_number() over (
            partition by claim.component
            order by claim.strength desc, ids.created_run_id, claim.customer_id
        ) as choice_of_component,
        row_number() over (
            partition by claim.customer_id
            order by claim.strength desc, component.first_record
        ) as choice_of_id
    from claims as claim
    inner join components as component on claim.component = component.component
    inner join identity.customer_ids as ids on claim.customer_id = ids.customer_id
    where
        claim.standing = %(standing)s
        and not exists (select from awards where awards.component = claim.component)
        and not exists (select from awards where awards.customer_id = claim.customer_id)
)

insert into awards (component, customer_id)
select
    component,
    customer_id
from open_claims
where choice_of_component = 1 and choice_of_id = 1
