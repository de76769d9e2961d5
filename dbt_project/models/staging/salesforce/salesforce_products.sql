{#- A product takes its price from its entry in the standard price book, another object: rows of
    both give the product anew, each with what was known of the other when it arrived. -#}
with product_rows as (
    {{ vendor_fields(source('salesforce', 'salesforce_product2'), [
        'Id', 'ProductCode', 'StockKeepingUnit', 'Name', 'Description', 'Family',
        'QuantityUnitOfMeasure', 'CurrencyIsoCode', 'IsActive', 'IsDeleted', 'CreatedDate',
        'SystemModstamp',
    ]) }}
),

entry_rows as (
    {{ vendor_fields(source('salesforce', 'salesforce_pricebook_entry'), [
        'Id', 'Pricebook2Id', 'Product2Id', 'UnitPrice', 'CurrencyIsoCode', 'IsActive',
        'IsDeleted', 'SystemModstamp',
    ]) }}
),

book_rows as (
    {{ vendor_fields(source('salesforce', 'salesforce_pricebook2'), ['Id', 'IsStandard']) }}
),

standard_books as (
    select distinct source_system, id as book_id
    from book_rows
    where is_standard = 'true'
),

product_versions as (
    select
        *,
        lead(batch_id) over (partition by source_system, id order by batch_id, raw_id)
            as known_until
    from product_rows
    where operation = 'upsert'
),

entries as (
    select
        entry_rows.*,
        lead(entry_rows.batch_id) over (
            partition by entry_rows.source_system, entry_rows.product2_id
            order by entry_rows.batch_id, entry_rows.raw_id
        ) as known_until
    from entry_rows
    inner join standard_books
        on standard_books.source_system = entry_rows.source_system
            and standard_books.book_id = entry_rows.pricebook2_id
    where entry_rows.operation = 'upsert'
),

from_products as (
    select
        product_rows.*,
        product_rows.id as product_id,
        product_rows.system_modstamp as changed_at,
        entries.unit_price as list_price,
        coalesce(entries.currency_iso_code, product_rows.currency_iso_code) as list_currency
    from product_rows
    left join entries
        on entries.source_system = product_rows.source_system
            and entries.product2_id = product_rows.id
            and entries.batch_id <= product_rows.batch_id
            and (product_rows.batch_id < entries.known_until) is not false
            and entries.is_active is distinct from 'false'
            and entries.is_deleted is distinct from 'true'
),

from_entries as (
    select
        entries.source_system,
        entries.kind,
        entries.batch_id,
        entries.raw_id + {{ 2 ** 48 }} as raw_id,
        entries.operation,
        entries.payload,
        product_versions.id,
        product_versions.product_code,
        product_versions.stock_keeping_unit,
        product_versions.name,
        product_versions.description,
        product_versions.family,
        product_versions.quantity_unit_of_measure,
        product_versions.currency_iso_code,
        product_versions.is_active,
        product_versions.is_deleted,
        product_versions.created_date,
        product_versions.system_modstamp,
        product_versions.id as product_id,
        greatest(product_versions.system_modstamp, entries.system_modstamp) as changed_at,
        case
            when entries.is_active is distinct from 'false'
                and entries.is_deleted is distinct from 'true'
                then entries.unit_price
        end as list_price,
        coalesce(entries.currency_iso_code, product_versions.currency_iso_code) as list_currency
    from entries
    inner join product_versions
        on product_versions.source_system = entries.source_system
            and product_versions.id = entries.product2_id
            and product_versions.batch_id <= entries.batch_id
            and (entries.batch_id < product_versions.known_until) is not false
),

products as (
    select * from from_products
    union all
    select * from from_entries
),

final as (
    {{ canonical_row('products', {
        'product_id': 'product_id',
        'product_number': 'coalesce(product_code, stock_keeping_unit)',
        'name': 'name',
        'unit': 'quantity_unit_of_measure',
        'list_price': 'list_price',
        'currency': 'list_currency',
        'is_active': 'is_active',
        'description': 'description',
        'category': 'family',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'changed_at',
    }, 'products') }}
)

select * from final
