{{
    config(
        materialized='table',
        contract={'enforced': true},
        meta={'rows_of': 'stg_opportunity_versions'},
    )
}}

with

versions as (
    select * from {{ ref('opportunity_history') }}
),

line_versions as (
    select * from {{ periods_of_versions(ref('stg_opportunity_line_versions')) }} as versions
),

opportunities as (
    select * from {{ ref('opportunities') }}
    where close_date is not null
),

probabilities as (
    select * from {{ ref('metric_stage_probabilities') }}
),

lags as (
    select lag_months from (values (0), (1), (3)) as lags (lag_months)
),

-- A month is scored when it was over at the latest news.
latest as (
    select date_trunc('month', max({{ utc_date('recorded_at') }}))::date as open_month
    from versions
),

-- Every version looks ahead to the month in which it was to close.
looking_ahead as (
    select
        versions.*,
        lags.lag_months,
        date_trunc('month', versions.close_date)::date as month,
        (
            date_trunc('month', versions.close_date::timestamp)
            - make_interval(months => lags.lag_months)
        )::date as as_of
    from versions
    cross join lags
    where versions.close_date is not null
),

-- What was expected at the start of the month, and one and three months before it.
expected as (
    select
        looking_ahead.source_system,
        looking_ahead.opportunity_id,
        looking_ahead.month,
        looking_ahead.lag_months,
        looking_ahead.as_of,
        coalesce(looking_ahead.owner_id, 'unknown') as owner_id,
        looking_ahead.amount,
        looking_ahead.currency,
        case
            when looking_ahead.is_won then 1
            when looking_ahead.is_closed then 0
            else coalesce(looking_ahead.probability, probabilities.probability)
        end as probability
    from looking_ahead
    left join probabilities on lower(looking_ahead.stage) = probabilities.stage
    where
        not looking_ahead.is_deleted
        and looking_ahead.held_from < looking_ahead.as_of at time zone 'UTC'
        and coalesce(looking_ahead.held_to, 'infinity')
        >= looking_ahead.as_of at time zone 'UTC'
),

currency_days as (
    select distinct
        source_system,
        currency,
        as_of
    from expected
),

rates as (
    select
        currency_days.source_system,
        currency_days.currency,
        currency_days.as_of,
        case
            when currency_days.currency = {{ reporting_currency() }} then 1
            else conversions.rate
        end as fx_rate
    from currency_days
    left join {{ conversions('expected', 'as_of') }} as conversions
        on
            currency_days.source_system = conversions.source_system
            and currency_days.currency = conversions.currency
            and currency_days.as_of = conversions.rate_date
),

weighted as (
    select
        expected.*,
        rates.fx_rate,
        expected.amount * expected.probability * rates.fx_rate as forecast_amount
    from expected
    left join rates
        on
            expected.source_system = rates.source_system
            and expected.currency = rates.currency
            and expected.as_of = rates.as_of
),

firsts as (
    select
        source_system,
        opportunity_id,
        min(held_from) as known_from
    from versions
    group by source_system, opportunity_id
),

closing as (
    select
        opportunities.source_system,
        opportunities.opportunity_id,
        coalesce(opportunities.owner_id, 'unknown') as owner_id,
        opportunities.created_at,
        firsts.known_from,
        lags.lag_months,
        date_trunc('month', opportunities.close_date)::date as month,
        (
            date_trunc('month', opportunities.close_date::timestamp)
            - make_interval(months => lags.lag_months)
        ) at time zone 'UTC' as as_of
    from opportunities
    cross join lags
    inner join firsts
        on
            opportunities.source_system = firsts.source_system
            and opportunities.opportunity_id = firsts.opportunity_id
),

-- Sales that existed at the time but are known only as they became later.
unknown as (
    select * from closing
    where coalesce(created_at, '-infinity') < as_of and known_from >= as_of
),

won as (
    select
        source_system,
        opportunity_id,
        date_trunc('month', close_date)::date as month,
        coalesce(owner_id, 'unknown') as owner_id,
        fx_rate,
        amount_reporting
    from opportunities
    where is_won
),

-- Every figure three times: for the company, for each seller, and for each product.
forecasts as (
    select
        'total' as level,
        'all' as item,
        month,
        lag_months,
        forecast_amount
    from weighted
    union all
    select
        'seller' as level,
        owner_id as item,
        month,
        lag_months,
        forecast_amount
    from weighted
    union all
    select
        'product' as level,
        coalesce(line_versions.product_number, 'unknown') as item,
        weighted.month,
        weighted.lag_months,
        line_versions.net_amount * weighted.probability * weighted.fx_rate as forecast_amount
    from weighted
    inner join line_versions
        on
            weighted.source_system = line_versions.source_system
            and weighted.opportunity_id = line_versions.opportunity_id
    where
        not line_versions.is_deleted
        and line_versions.held_from < weighted.as_of at time zone 'UTC'
        and line_versions.held_to >= weighted.as_of at time zone 'UTC'
),

actuals as (
    select
        'total' as level,
        'all' as item,
        month,
        amount_reporting as amount
    from won
    union all
    select
        'seller' as level,
        owner_id as item,
        month,
        amount_reporting as amount
    from won
    union all
    select
        'product' as level,
        coalesce(lines.product_number, 'unknown') as item,
        won.month,
        lines.net_amount * won.fx_rate as amount
    from won
    inner join {{ ref('stg_opportunity_lines') }} as lines
        on
            won.source_system = lines.source_system
            and won.opportunity_id = lines.opportunity_id
    where not lines.is_deleted
),

unknowns as (
    select
        'total' as level,
        'all' as item,
        month,
        lag_months
    from unknown
    union all
    select
        'seller' as level,
        owner_id as item,
        month,
        lag_months
    from unknown
    union all
    select
        'product' as level,
        coalesce(lines.product_number, 'unknown') as item,
        month,
        lag_months
    from unknown
    inner join {{ ref('stg_opportunity_lines') }} as lines
        on
            unknown.source_system = lines.source_system
            and unknown.opportunity_id = lines.opportunity_id
),

-- From the first month with a sale to the last one that is over, also the months without any.
series as (
    select
        items.level,
        items.item,
        month::date as month
    from (
        select
            level,
            item,
            min(month) as first_month
        from (
            select
                level,
                item,
                month
            from actuals
            union all
            select
                level,
                item,
                month
            from forecasts
        ) as mentioned
        group by level, item
    ) as items
    cross join latest
    cross join
        lateral generate_series(
            items.first_month::timestamp, latest.open_month - interval '1 month', '1 month'
        ) as month
),

monthly_actuals as (
    select
        series.level,
        series.item,
        series.month,
        coalesce(sum(actuals.amount), 0) as actual_amount
    from series
    left join actuals
        on
            series.level = actuals.level
            and series.item = actuals.item
            and series.month = actuals.month
    group by series.level, series.item, series.month
),

naive as (
    select
        this_year.level,
        this_year.item,
        this_year.month,
        this_year.actual_amount,
        last_year.actual_amount as naive_amount
    from monthly_actuals as this_year
    left join monthly_actuals as last_year
        on
            this_year.level = last_year.level
            and this_year.item = last_year.item
            and last_year.month = (
                this_year.month
                - make_interval(months => {{ metric_setting('naive_season_months') }}::integer)
            )::date
),

cells as (
    select
        naive.*,
        lags.lag_months,
        (naive.month - make_interval(months => lags.lag_months))::date as as_of
    from naive
    cross join lags
),

monthly_forecasts as (
    select
        level,
        item,
        month,
        lag_months,
        sum(forecast_amount) as forecast_amount,
        count(*) filter (where forecast_amount is null) as unconverted_count
    from forecasts
    group by level, item, month, lag_months
),

monthly_unknowns as (
    select
        level,
        item,
        month,
        lag_months,
        count(*) as unknown_count
    from unknowns
    group by level, item, month, lag_months
),

-- The yardstick of MASE: how wrong the naive forecast was in the months known at the time.
yardsticks as (
    select
        cells.level,
        cells.item,
        cells.month,
        cells.lag_months,
        avg(abs(past.actual_amount - past.naive_amount)) as naive_error_in_sample
    from cells
    inner join naive as past
        on
            cells.level = past.level
            and cells.item = past.item
            and cells.as_of > past.month
    where past.naive_amount is not null
    group by cells.level, cells.item, cells.month, cells.lag_months
),

scored as (
    select
        cells.level,
        cells.item,
        cells.month,
        cells.lag_months,
        cells.as_of,
        cells.actual_amount,
        cells.naive_amount,
        yardsticks.naive_error_in_sample,
        coalesce(monthly_forecasts.forecast_amount, 0) as forecast_amount,
        coalesce(monthly_unknowns.unknown_count, 0) as unknown_count,
        -- One such sale spoils the whole month: the cells without one are not a fair sample.
        case
            when month_unknowns.unknown_count > 0
                then 'sales of this month are known only from a later time'
            when coalesce(monthly_forecasts.unconverted_count, 0) > 0
                then 'an expected amount has no value, probability or exchange rate'
        end as reason
    from cells
    left join monthly_forecasts
        on
            cells.level = monthly_forecasts.level
            and cells.item = monthly_forecasts.item
            and cells.month = monthly_forecasts.month
            and cells.lag_months = monthly_forecasts.lag_months
    left join monthly_unknowns
        on
            cells.level = monthly_unknowns.level
            and cells.item = monthly_unknowns.item
            and cells.month = monthly_unknowns.month
            and cells.lag_months = monthly_unknowns.lag_months
    left join monthly_unknowns as month_unknowns
        on
            month_unknowns.level = 'total'
            and cells.month = month_unknowns.month
            and cells.lag_months = month_unknowns.lag_months
    left join yardsticks
        on
            cells.level = yardsticks.level
            and cells.item = yardsticks.item
            and cells.month = yardsticks.month
            and cells.lag_months = yardsticks.lag_months
),

measured as (
    select
        *,
        reason is null as is_scored,
        case when reason is null then forecast_amount end as known_forecast_amount,
        case when reason is null then actual_amount end as scored_actual_amount,
        case when reason is null then forecast_amount - actual_amount end as error_amount
    from scored
),

followed as (
    select
        *,
        sum(error_amount) over last_twelve_months as error_of_year,
        avg(abs(error_amount)) over last_twelve_months as mean_absolute_error_of_year
    from measured
    window last_twelve_months as (
        partition by level, item, lag_months order by month
        rows between 11 preceding and current row
    )
),

final as (
    select
        level,
        item,
        month,
        lag_months::integer as lag_months,
        as_of,
        is_scored,
        round(known_forecast_amount, 4) as forecast_amount_reporting,
        round(actual_amount, 4) as actual_amount_reporting,
        round(naive_amount, 4) as naive_amount_reporting,
        round(scored_actual_amount, 4) as scored_actual_amount_reporting,
        round(error_amount, 4) as error_amount_reporting,
        round(abs(error_amount), 4) as absolute_error_reporting,
        round(abs(error_amount) / nullif(greatest(actual_amount, 0), 0), 6) as percentage_error,
        case when is_scored and actual_amount <= 0 then 1 when is_scored then 0 end
            as is_left_out_of_percentage,
        case when is_scored then round(abs(naive_amount - actual_amount), 4) end
            as naive_absolute_error_reporting,
        case when is_scored and naive_amount is not null then round(abs(error_amount), 4) end
            as compared_absolute_error_reporting,
        case when is_scored and naive_amount is not null then round(actual_amount, 4) end
            as compared_actual_amount_reporting,
        round(abs(error_amount) / nullif(naive_error_in_sample, 0), 6) as scaled_error,
        round(error_of_year / nullif(mean_absolute_error_of_year, 0), 4) as tracking_signal,
        case when is_scored then round(error_of_year, 4) end as year_error_reporting,
        case when is_scored then round(mean_absolute_error_of_year, 4) end
            as year_mean_absolute_error_reporting,
        unknown_count::bigint as unknown_count,
        reason
    from followed
)

select * from final
