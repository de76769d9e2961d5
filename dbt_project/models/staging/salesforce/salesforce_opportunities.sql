with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_opportunity'), [
        'Id', 'AccountId', 'Name', 'StageName', 'Probability', 'Amount', 'CurrencyIsoCode',
        'CloseDate', 'IsClosed', 'IsWon', 'ForecastCategoryName', 'ForecastCategory', 'OwnerId',
        'IsDeleted', 'CreatedDate', 'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('opportunities', {
        'opportunity_id': 'id',
        'account_id': 'account_id',
        'name': 'name',
        'stage': 'stage_name',
        'probability': scaled('probability', '0.01'),
        'amount': 'amount',
        'currency': 'currency_iso_code',
        'close_date': 'close_date',
        'is_closed': 'is_closed',
        'is_won': 'is_won',
        'forecast_category':
            "replace(lower(coalesce(forecast_category_name, forecast_category)), ' ', '_')",
        'owner_id': 'owner_id',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
