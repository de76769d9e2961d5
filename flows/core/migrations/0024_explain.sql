-- What explains a published value: how each column of a mart comes about, and from which rows.
-- Filled from the models whenever they change; names only, so that no text of it is ever run.

create table ops.explained_tables (
    table_name text primary key,
    key_columns text[] not null check (cardinality(key_columns) > 0),
    description text,
    is_published boolean not null
);
comment on table ops.explained_tables is 'Every mart with its key, whose parts are joined by | where a row is named.';

create table ops.explained_columns (
    table_name text not null references ops.explained_tables on delete cascade,
    column_name text not null,
    position integer not null,
    description text,
    kind text not null
    check (kind in ('copied', 'chosen', 'summed', 'counted', 'converted', 'computed', 'constant')),
    formula text[] not null default '{}',
    rules text[] not null default '{}',
    view_expression text,
    primary key (table_name, column_name)
);
comment on table ops.explained_columns is 'Every column of every mart: how its values come about, from the outermost step inwards.';
comment on column ops.explained_columns.rules is 'The rules of seeds/rules/field_ownership.csv that choose between the systems.';
comment on column ops.explained_columns.view_expression is 'What the published view computes when it is read, instead of what the table holds.';

create table ops.explained_inputs (
    table_name text not null,
    column_name text not null,
    input text not null,
    source_column text not null,
    role text not null check (role in ('value', 'condition')),
    primary key (table_name, column_name, input, source_column, role),
    foreign key (table_name, column_name) references ops.explained_columns on delete cascade
);
comment on table ops.explained_inputs is 'Column lineage: what a column is made of (value) and what decides which value it is (condition).';
comment on column ops.explained_inputs.input is 'schema.table, with :alias where a mart reads a table in several roles.';
comment on column ops.explained_inputs.source_column is 'A column of the input; * where its rows are counted.';

create table ops.explained_paths (
    table_name text not null references ops.explained_tables on delete cascade,
    input text not null,
    number integer not null,
    columns text not null default '%',
    applies jsonb not null default '{}',
    column_named_by text,
    taken integer not null,
    is_exact boolean not null default true,
    hops jsonb not null,
    primary key (table_name, input, number)
);
comment on table ops.explained_paths is 'How a row of a mart leads to the rows of an input: joins, one after the other, the mart being number 0.';
comment on column ops.explained_paths.columns is 'For which columns of the mart, as a pattern of like.';
comment on column ops.explained_paths.applies is 'For which rows of the mart: values by column.';
comment on column ops.explained_paths.column_named_by is 'The column of the mart that names the one column of the input that counts.';
comment on column ops.explained_paths.is_exact is 'False where the path leads to all rows that may count, and the SQL of the mart picks among them.';
comment on column ops.explained_paths.taken is 'Which of the joined relations is the input.';

create table ops.explained_documents (
    entity text primary key,
    document_type text not null,
    document_key text,
    key_columns text[] not null,
    raw_entity text not null
);
comment on table ops.explained_documents is 'The key of each staged entity, the view of raw that it is read from, and to which document a row belongs; without a column that says so it is one by itself.';

create type ops.explained_step as (
    step integer,
    part text,
    table_name text,
    key text,
    column_name text,
    value text,
    relation text,
    source_column text,
    source_value text,
    is_used boolean,
    source jsonb,
    note text
);

create function ops.explained_schema(relation text, slot text) returns text
language plpgsql immutable parallel safe set search_path = pg_catalog
as $$
begin
    if relation = 'ops.settings' or split_part(relation, '.', 1) in ('staging', 'identity') then
        return split_part(relation, '.', 1);
    elsif split_part(relation, '.', 1) = 'marts' then
        return 'marts_' || slot;
    end if;
    raise exception 'explaining never reads %', relation;
end
$$;
comment on function ops.explained_schema is 'The schema in which an input stands; refuses any that explaining has no business with.';

-- One join of a path, as SQL. Names are quoted as names and values as values.
create function ops.explained_join(hop jsonb, number integer, slot text) returns text
language plpgsql immutable parallel safe set search_path = pg_catalog
as $$
declare
    relation text := format(
        '%I.%I', ops.explained_schema(hop ->> 'relation', slot), split_part(hop ->> 'relation', '.', 2)
    );
    me text := 'h' || number;
    conditions text;
begin
    if hop ? 'dated' then
        -- The rule of the marts: the latest rate on or before the day, of the own system if it has any.
        return format(
            ' cross join lateral (select rates.* from %1$s as rates where rates.currency = h0.currency'
            ' and h0.currency is distinct from h0.reporting_currency and rates.rate_date <= h0.%2$I'
            ' order by rates.source_system = h0.source_system desc, rates.rate_date desc,'
            ' rates.source_system limit 1) as %3$s', relation, hop ->> 'dated', me
        );
    end if;
    select string_agg(condition, ' and ')
    into conditions
    from (
        select format('%s.%I = h%s.%I', me, pair.key, pair.value ->> 0, pair.value ->> 1) as condition
        from jsonb_each(hop -> 'on') as pair
        union all
        select case
            when jsonb_typeof(pair.value) = 'null' then format('%s.%I is null', me, pair.key)
            else format('%s.%I::text = %L', me, pair.key, pair.value #>> '{}')
        end
        from jsonb_each(hop -> 'where') as pair
        union all
        select format('(%s.%I = %L) is not true', me, pair.key, pair.value #>> '{}')
        from jsonb_each(hop -> 'unless') as pair
        union all
        select format(
            '(%1$s.source_system, %1$s.source_key) in (select split_part(record, ''|'', 1),'
            ' substr(record, length(split_part(record, ''|'', 1) || split_part(record, ''|'', 2)) + 3)'
            ' from unnest(h0.%2$I) as record where split_part(record, ''|'', 2) = %3$L)',
            me, hop -> 'listed' ->> 0, hop -> 'listed' ->> 1
        )
        where hop ? 'listed'
    ) as wanted;
    return format(' inner join %s as %s on %s', relation, me, coalesce(conditions, 'true'));
end
$$;

-- The key of a mart row as text, and the rows that have one of some keys.
create function ops.explained_key(table_name text, alias text) returns text
language sql stable set search_path = pg_catalog
as $$
    select 'concat_ws(''|'', ' || string_agg(format('%s.%I', alias, name), ', ' order by place) || ')'
    from ops.explained_tables as known
    cross join lateral unnest(known.key_columns) with ordinality as part (name, place)
    where known.table_name = explained_key.table_name
$$;

create function ops.explained_rows(table_name text, keys text[]) returns text
language sql stable set search_path = pg_catalog
as $$
    select format(
        '(%s) in (%s)',
        (select string_agg(format('h0.%I', name), ', ' order by place)
            from unnest(known.key_columns) with ordinality as part (name, place)),
        (select string_agg('(' || (
            -- The last part of a key may itself contain the separator.
            select string_agg(quote_nullable(case
                when place < cardinality(known.key_columns) then parts[place]
                else array_to_string(parts[place:], '|')
            end), ', ' order by place)
            from generate_series(1, cardinality(known.key_columns)) as place
        ) || ')', ', ')
        from (select string_to_array(key, '|') as parts from unnest(keys) as key) as split)
    )
    from ops.explained_tables as known
    where known.table_name = explained_rows.table_name
$$;

-- The rows of every input of one column, for some rows of a mart, as SQL; null when there are none.
create function ops.explained_query(
    path ops.explained_paths, wanted_column text, keys text[], slot text
) returns text
language plpgsql stable set search_path = pg_catalog
as $$
declare
    me text := 'h' || path.taken;
    joins text;
    columns text;
    conditions text;
begin
    select string_agg(ops.explained_join(hop, place::integer, slot), '' order by place)
    into joins
    from jsonb_array_elements(path.hops) with ordinality as listed (hop, place);
    select string_agg(
        case
            when source_column = '*' then '(''*'', null)'
            else format('(%L, %s.%I::text)', source_column, me, source_column)
        end, ', ' order by source_column
    )
    into columns
    from ops.explained_inputs as inputs
    where inputs.table_name = path.table_name and inputs.column_name = wanted_column
        and inputs.input = path.input and inputs.role = 'value';
    select string_agg(
        case
            when jsonb_typeof(pair.value) = 'null' then format('h0.%I is null', pair.key)
            when jsonb_typeof(pair.value) = 'array' then format(
                'h0.%I::text = any (%L)', pair.key,
                array(select jsonb_array_elements_text(pair.value))
            )
            else format('h0.%I::text = %L', pair.key, pair.value #>> '{}')
        end, ' and '
    )
    into conditions
    from jsonb_each(path.applies) as pair;
    return format(
        'select %s, h0.%I::text, given.name, given.value, to_jsonb(%s), %s from %I.%I as h0%s'
        ' cross join lateral (values %s) as given (name, value) where %s and %s and %s',
        ops.explained_key(path.table_name, 'h0'), wanted_column, me,
        coalesce(case
            when path.input like 'marts.%' then ops.explained_key(substr(split_part(path.input, ':', 1), 7), me)
        end, 'null::text'),
        'marts_' || slot, path.table_name, joins, columns,
        ops.explained_rows(path.table_name, keys), coalesce(conditions, 'true'),
        case
            when path.column_named_by is null then 'true'
            else format('h0.%I = given.name', path.column_named_by)
        end
    );
end
$$;

-- Values of one column of a mart, for the keys given, followed down to staged rows.
create function ops.explained_steps(
    wanted_table text, wanted_column text, keys text[], slot text, step integer default 1
) returns setof ops.explained_step
language plpgsql stable
set search_path = pg_catalog set datestyle = 'ISO, YMD' set timezone = 'UTC'
as $$
declare
    described ops.explained_columns;
    path ops.explained_paths;
    told ops.explained_step;
    input_key text;
    next_cells jsonb := '{}';
    cell record;
begin
    select * into described from ops.explained_columns as known
    where known.table_name = wanted_table and known.column_name = wanted_column;
    for told.key, told.value in execute format(
        'select %s, (%s)::text from (select * from %I.%I as h0 where %s) as %I',
        ops.explained_key(wanted_table, quote_ident(wanted_table)),
        coalesce(described.view_expression, format('%I.%I', wanted_table, wanted_column)),
        'marts_' || slot, wanted_table, ops.explained_rows(wanted_table, keys), wanted_table
    )
    loop
        told.step := step;
        told.part := 'value';
        told.table_name := wanted_table;
        told.column_name := wanted_column;
        told.note := described.kind;
        return next told;
    end loop;
    for path in
        select known.* from ops.explained_paths as known
        where known.table_name = wanted_table and wanted_column like known.columns
            and exists (
                select from ops.explained_inputs as inputs
                where inputs.table_name = known.table_name and inputs.column_name = wanted_column
                    and inputs.input = known.input and inputs.role = 'value'
            )
        order by known.input, known.number
    loop
        told.relation := split_part(path.input, ':', 1);
        told.part := case split_part(path.input, '.', 1)
            when 'staging' then 'record' when 'marts' then 'mart'
            when 'identity' then 'identity' else 'setting'
        end;
        for told.key, told.value, told.source_column, told.source_value, told.source, input_key
        in execute ops.explained_query(path, wanted_column, keys, slot)
        loop
            told.is_used := case
                when not path.is_exact then null
                when described.kind in ('copied', 'chosen')
                    then told.source_value is not distinct from told.value
                else true
            end;
            told.note := case
                when told.part in ('record', 'identity') and path.input like '%:%'
                    then split_part(path.input, ':', 2)
            end;
            if told.part = 'mart' and input_key is not null then
                told.source := jsonb_build_object('key', input_key);
                next_cells := jsonb_set(
                    next_cells, array[told.relation || '.' || told.source_column],
                    coalesce(next_cells -> (told.relation || '.' || told.source_column), '{}')
                    || jsonb_build_object(input_key, true)
                );
            end if;
            return next told;
        end loop;
    end loop;
    -- What no path leads to is named, so that nothing that a value is made of is left out.
    for told.key, told.value, told.relation, told.source_column in
        select null, null, split_part(inputs.input, ':', 1), inputs.source_column
        from ops.explained_inputs as inputs
        where inputs.table_name = wanted_table and inputs.column_name = wanted_column
            and inputs.role = 'value'
            and not exists (
                select from ops.explained_paths as known
                where known.table_name = wanted_table and known.input = inputs.input
                    and wanted_column like known.columns
            )
        order by 3, 4
    loop
        told.part := 'column';
        told.source_value := null;
        told.source := null;
        told.is_used := null;
        told.note := 'its rows are not followed from here';
        foreach input_key in array keys loop
            told.key := input_key;
            return next told;
        end loop;
    end loop;
    for cell in
        select
            split_part(wanted.key, '.', 2) as table_name,
            split_part(wanted.key, '.', 3) as column_name,
            array(select jsonb_object_keys(wanted.value)) as keys
        from jsonb_each(next_cells) as wanted
        order by 1, 2
    loop
        if cell.column_name <> '*' then
            return query
            select * from ops.explained_steps(
                cell.table_name, cell.column_name, cell.keys, slot, step + 1
            );
        end if;
    end loop;
end
$$;
comment on function ops.explained_steps is 'Values of one column of a mart, for any number of rows, followed down to the staged rows, rates, ids and settings they are made of.';

create type ops.explained_raw_row as (
    entity text,
    source_system text,
    raw_id bigint,
    operation text,
    given jsonb,
    payload json,
    file text,
    line bigint,
    batch_id bigint,
    run_id bigint,
    landed_at timestamptz,
    judged_at timestamptz,
    staged_at timestamptz
);

-- Where in its file each raw row of a batch stood. Blank lines cannot be known of.
create function ops.explained_lines(batch ops.batches, raw_ids bigint[])
returns table (raw_id bigint, line bigint)
language plpgsql stable set search_path = pg_catalog
as $$
declare
    is_csv boolean := batch.file ~* '\.(csv|tsv|txt)(\.gz)?$';
begin
    return query execute format(
        'with landed as (
            select
                rows.raw_id,
                row_number() over (order by rows.raw_id)
                -- A quoted field of a CSV file may run over several lines.
                + coalesce(sum(case when %1$L and strpos(rows.payload::text, ''\n'') > 0 then
                    (length(replace(rows.payload::text, ''\\'', '''')) - length(replace(
                        replace(rows.payload::text, ''\\'', ''''), ''\n'', ''''))) / 2
                else 0 end) over (
                    order by rows.raw_id rows between unbounded preceding and 1 preceding
                ), 0) + %1$L::boolean::integer as place
            from %2$I.%3$I as rows
            where rows.batch_id = %4$s
        ),
        rejected as (
            select line - (row_number() over (order by line) - 1) as place
            from (
                select distinct line from ops.rejects where batch_id = %4$s and line is not null
            ) as lines
        )
        select landed.raw_id, (landed.place + (
            select count(*) from rejected where rejected.place <= landed.place
        ))::bigint
        from landed where landed.raw_id = any (%5$L)',
        is_csv, 'raw_' || batch.connection, batch.object, batch.batch_id, raw_ids
    );
end
$$;
comment on function ops.explained_lines is 'The line of the file on which each raw row began, rejected lines and the header counted.';

-- The raw rows that staged rows came from: what was received, and with which batch.
create function ops.explained_raw(wanted jsonb) returns setof ops.explained_raw_row
language plpgsql stable set search_path = pg_catalog
as $$
declare
    part record;
    batch ops.batches;
    view_name text;
begin
    for part in
        select
            one ->> 'entity' as entity,
            one ->> 'source_system' as source_system,
            (one ->> 'batch_id')::bigint as batch_id,
            array_agg(distinct (one ->> 'raw_id')::bigint) as raw_ids,
            array_agg(distinct one ->> 'column')
            filter (where one ->> 'column' <> '*') as columns
        from jsonb_array_elements(wanted) as one
        where one ->> 'raw_id' is not null
        group by 1, 2, 3
    loop
        select * into batch from ops.batches where batch_id = part.batch_id;
        select known.raw_entity into view_name
        from ops.explained_documents as known where known.entity = part.entity;
        continue when to_regclass(format('raw.%I', view_name)) is null;
        return query execute format(
            'select %L, %L, rows.raw_id, rows.operation,'
            ' jsonb_build_object(''source_key'', concat_ws(''|'', %s)%s), rows.payload, %L,'
            ' lines.line, %L::bigint, %L::bigint, %L::timestamptz, %L::timestamptz, %L::timestamptz'
            ' from raw.%I as rows'
            ' left join ops.explained_lines(%L::ops.batches, %L) as lines'
            -- Parts of a mapping that read one row number it in their high bits.
            ' on lines.raw_id = (rows.raw_id & 281474976710655)'
            ' where rows.source_system = %L and rows.batch_id = %s and rows.raw_id = any (%L)',
            part.entity, part.source_system,
            (select string_agg(format('rows.%I', name), ', ' order by place)
                from ops.explained_documents as known
                cross join lateral unnest(known.key_columns) with ordinality as named (name, place)
                where known.entity = part.entity),
            coalesce((select string_agg(format(', %L, rows.%I', attname, attname), '')
                from pg_attribute
                where attrelid = to_regclass(format('raw.%I', view_name))
                    and attname = any (part.columns) and attnum > 0), ''),
            batch.file, batch.batch_id, batch.run_id, batch.landed_at, batch.judged_at,
            batch.staged_at, view_name, batch,
            array(select raw_id & 281474976710655 from unnest(part.raw_ids) as raw_id),
            part.source_system, part.batch_id, part.raw_ids
        );
    end loop;
end
$$;

create type ops.explanation as (
    step integer,
    part text,
    table_name text,
    key text,
    column_name text,
    value text,
    relation text,
    source_system text,
    source_key text,
    source_column text,
    source_value text,
    is_used boolean,
    raw_value text,
    operation text,
    batch_id bigint,
    file text,
    line bigint,
    landed_at timestamptz,
    note text,
    details jsonb,
    payload json
);

create function ops.has_explained_row(explained_table text, row_key text, slot text) returns boolean
language plpgsql stable
set search_path = pg_catalog set datestyle = 'ISO, YMD' set timezone = 'UTC'
as $$
declare
    is_there boolean;
begin
    execute format(
        'select exists (select from %I.%I as h0 where %s)', 'marts_' || slot, explained_table,
        ops.explained_rows(explained_table, array[row_key])
    ) into is_there;
    return is_there;
exception
    -- A text that is no date or number is no key either.
    when invalid_text_representation or invalid_datetime_format or datetime_field_overflow
        or numeric_value_out_of_range
        then
        return false;
end
$$;

-- Everything that explains a value, or all values of a row; the innermost causes have the highest step.
create function ops.explain(explained_table text, row_key text, explained_column text default null)
returns setof ops.explanation
language plpgsql stable security definer
set search_path = pg_catalog set datestyle = 'ISO, YMD' set timezone = 'UTC'
as $$
declare
    live ops.publications;
    wanted text[];
begin
    select * into live from ops.publications where is_live;
    if live.slot is null then
        raise exception 'Nothing is published yet.' using hint = 'Run the integrate flow first.';
    elsif not exists (select from ops.explained_tables) then
        raise exception 'What explains values has not been worked out yet.'
        using hint = 'Run `concord explain` once; it does so whenever the models have changed.';
    elsif not exists (
        select from ops.explained_tables where table_name = explained_table and is_published
    )
        then
        raise exception 'There is no published table %.', explained_table
        using hint = 'There are: ' || (
            select string_agg(table_name, ', ' order by table_name) from ops.explained_tables
            where is_published
        );
    end if;
    select array_agg(column_name order by position)
    into wanted
    from ops.explained_columns
    where table_name = explained_table
        and (explained_column is null or column_name = explained_column);
    if wanted is null then
        raise exception '% has no column %.', explained_table, explained_column
        using hint = 'There are: ' || (
            select string_agg(column_name, ', ' order by position) from ops.explained_columns
            where table_name = explained_table
        );
    end if;
    if not ops.has_explained_row(explained_table, row_key, live.slot) then
        raise exception '% has no row %.', explained_table, row_key using hint = (
            select 'The key is ' || array_to_string(key_columns, '|')
            from ops.explained_tables where table_name = explained_table
        );
    end if;
    return query
    with steps as materialized (
        select
            row_number() over (order by listed.position, one.ordinality) as place,
            one.step, one.part, one.table_name, one.key, one.column_name, one.value, one.relation,
            one.source_column, one.source_value, one.source, one.note,
            case
                when one.is_used is null or bool_or(one.is_used) over cell then one.is_used
                else one.source_value is not null
            end as is_used
        from unnest(wanted) with ordinality as listed (name, position)
        cross join lateral
            ops.explained_steps(explained_table, listed.name, array[row_key], live.slot)
            with ordinality as one
        window cell as (partition by one.step, one.table_name, one.key, one.column_name, one.part = 'value')
    ),
    raw_rows as materialized (
        select *
        from ops.explained_raw((
            select coalesce(jsonb_agg(distinct jsonb_build_object(
                'entity', split_part(steps.relation, '.', 2),
                'source_system', steps.source -> 'source_system',
                'batch_id', steps.source -> 'batch_id',
                'raw_id', steps.source -> 'raw_id',
                'column', steps.source_column
            )), '[]')
            from steps
            where steps.part = 'record'
        ))
    ),
    told as (
        select
            steps.place, 1 as turn, steps.step, steps.part, steps.table_name, steps.key,
            steps.column_name, steps.value, steps.relation,
            steps.source ->> 'source_system' as source_system,
            coalesce(steps.source ->> 'source_key', steps.source ->> 'key') as source_key,
            steps.source_column, steps.source_value, steps.is_used,
            raw_rows.given ->> steps.source_column as raw_value,
            raw_rows.operation, raw_rows.batch_id, raw_rows.file, raw_rows.line, raw_rows.landed_at,
            case steps.part
                when 'value' then steps.note
                when 'identity' then concat_ws(
                    ', ', steps.source ->> 'entity', 'linked by ' || (steps.source ->> 'method'),
                    'rule ' || (steps.source ->> 'rule'),
                    'probability ' || (steps.source ->> 'probability'),
                    'since ' || (steps.source ->> 'valid_from')
                )
                else nullif(concat_ws(
                    ', ', steps.note,
                    case when steps.source ->> 'is_deleted' = 'true' then 'deleted in the source' end,
                    case
                        when (steps.source ->> 'version')::bigint > live.version
                            then 'staged by run ' || (steps.source ->> 'version')
                            || ', after what is published was built'
                    end
                ), '')
            end as note,
            case steps.part
                when 'value' then (
                    select jsonb_build_object(
                        'description', known.description, 'kind', known.kind, 'formula', known.formula
                    )
                    from ops.explained_columns as known
                    where known.table_name = steps.table_name and known.column_name = steps.column_name
                )
                when 'record' then jsonb_build_object(
                    'raw_id', steps.source -> 'raw_id', 'staged_by_run', steps.source -> 'version',
                    'landed_by_run', raw_rows.run_id, 'judged_at', raw_rows.judged_at,
                    'staged_at', steps.source -> 'staged_at'
                )
                when 'identity' then steps.source
            end as details,
            raw_rows.payload
        from steps
        left join raw_rows
            on steps.part = 'record'
            and raw_rows.entity = split_part(steps.relation, '.', 2)
            and raw_rows.source_system = steps.source ->> 'source_system'
            and raw_rows.raw_id = (steps.source ->> 'raw_id')::bigint
        union all
        select
            steps.place, 2, steps.step, 'rule', steps.table_name, steps.key, steps.column_name,
            null, 'staging.field_ownership', null, rules.entity || '.' || rules.field, null, null,
            null, null, null, null, null, null, null,
            rules.owner || ' owns it (' || rules.mode || '): ' || rules.reason,
            to_jsonb(rules), null
        from steps
        inner join ops.explained_columns as known
            on known.table_name = steps.table_name and known.column_name = steps.column_name
        inner join staging.field_ownership as rules
            on rules.entity || '.' || rules.field = any (known.rules)
        where steps.part = 'value'
        union all
        select
            steps.place, 3, steps.step, 'ruling', steps.table_name, steps.key, steps.column_name,
            null, 'ops.decisions', steps.source ->> 'source_system', decisions.decision_id::text,
            null, null, null, null, null, null, null, null, null,
            'ruled ' || decisions.ruling || ' on ' || decisions.decided_at || ' (' || decisions.status
            || '): ' || decisions.left_record || ' and ' || decisions.right_record,
            to_jsonb(decisions) - 'compared', null
        from steps
        inner join ops.decisions
            on concat_ws(
                '|', steps.source ->> 'source_system', steps.source ->> 'entity',
                steps.source ->> 'source_key'
            ) in (decisions.left_record, decisions.right_record)
            and decisions.status in ('active', 'reopened')
        where steps.part = 'identity' and steps.is_used
        union all
        select
            max(steps.place), 4, steps.step, 'held back', steps.table_name, steps.key,
            steps.column_name, null, 'quarantine.rows', held.source_system, held.source_key, null,
            null, null, null, null, held.batch_id, null, null, held.quarantined_at,
            'a newer version of the ' || held.document_type || ' is held back'
            || coalesce(
                ': ' || nullif(array_to_string(held.rules, ', '), ''),
                (
                    select ': ' || string_agg(distinct failures.rule, ', ')
                    from ops.failures
                    where failures.run_id = held.run_id
                        and failures.source_system = held.source_system
                        and failures.document_type = held.document_type
                        and failures.document_key = held.document_key
                ),
                ' with its document'
            ),
            to_jsonb(held) - 'payload', null
        from steps
        inner join ops.explained_documents as documents
            on documents.entity = split_part(steps.relation, '.', 2)
        inner join quarantine.rows as held
            on held.status = 'open'
            and held.source_system = steps.source ->> 'source_system'
            and held.document_type = documents.document_type
            and held.document_key
            = steps.source ->> coalesce(documents.document_key, 'source_key')
        where steps.part = 'record'
        group by held.quarantine_id, steps.step, steps.table_name, steps.key, steps.column_name
        union all
        select
            0, 0, 0, 'published', explained_table, row_key, null, null, 'ops.publications', null,
            live.publication_id::text, null, null, null, null, null, null, null, null,
            live.published_at, 'publication ' || live.publication_id || ', ' || live.kind
            || ' by run ' || coalesce(live.run_id::text, 'unknown') || ', built up to run '
            || live.version,
            to_jsonb(live) - 'catalogue', null
    )
    select
        told.step, told.part, told.table_name, told.key, told.column_name, told.value,
        told.relation, told.source_system, told.source_key, told.source_column, told.source_value,
        told.is_used, told.raw_value, told.operation, told.batch_id, told.file, told.line,
        told.landed_at, told.note, told.details, told.payload
    from told
    order by told.place, told.turn;
end
$$;
comment on function ops.explain is 'Explains a published value (without a column: a row): the staged records and raw payloads behind it, with batch, file and line, the rules, rates, ids and rulings that made it, and when it was promoted. Shows personal data.';

-- The same for analysts: without payloads, and with personal data only for those who may see it.
create function ops.explained_to_analysts(
    explained_table text, row_key text, explained_column text, sees_personal_data boolean
) returns setof ops.explanation
language sql stable set search_path = pg_catalog
as $$
    with personal as (
        select tables.key as table_name, columns.name as column_name
        from ops.publications as live
        cross join lateral jsonb_each(coalesce(live.catalogue -> 'personal', '{}')) as tables
        cross join lateral jsonb_array_elements_text(tables.value) as columns (name)
        where live.is_live
    ),
    personal_inputs as (
        select distinct split_part(inputs.input, ':', 1) as relation, inputs.source_column
        from ops.explained_inputs as inputs
        inner join personal using (table_name, column_name)
        where inputs.role = 'value'
    ),
    told as (
        select
            one.*,
            not sees_personal_data and (
                (one.table_name, one.column_name) in (select * from personal)
                or (one.relation, one.source_column) in (select * from personal_inputs)
            ) as is_hidden,
            row_number() over () as place
        from ops.explain(explained_table, row_key, explained_column) as one
    )
    select
        step, part, table_name, key, column_name,
        case when not is_hidden then value end,
        relation, source_system, source_key, source_column,
        case when not is_hidden then source_value end,
        is_used,
        case when not is_hidden then raw_value end,
        operation, batch_id, file, line, landed_at, note,
        case when part = 'value' then details end,
        null::json
    from told
    order by place
$$;

create function marts.explained_masked(explained_table text, row_key text, explained_column text)
returns setof ops.explanation
language sql stable security definer set search_path = pg_catalog
as $$
    select * from ops.explained_to_analysts(explained_table, row_key, explained_column, false)
$$;

create function marts.explained_unmasked(explained_table text, row_key text, explained_column text)
returns setof ops.explanation
language sql stable security definer set search_path = pg_catalog
as $$
    select * from ops.explained_to_analysts(explained_table, row_key, explained_column, true)
$$;

create function marts.explain(explained_table text, row_key text, explained_column text default null)
returns setof ops.explanation
language plpgsql stable set search_path = pg_catalog
as $$
begin
    if pg_has_role(current_user, 'concord_personal_data', 'member') then
        return query
        select * from marts.explained_unmasked(explained_table, row_key, explained_column);
    else
        return query
        select * from marts.explained_masked(explained_table, row_key, explained_column);
    end if;
end
$$;
comment on function marts.explain is 'Explains a published value, for example marts.explain(''orders'', ''erp|O1'', ''net_amount''): the records behind it with batch, file and line, the rules, rates and ids that made it. Personal data only where granted, never payloads.';

revoke execute on function ops.explained_schema, ops.explained_join, ops.explained_key,
ops.explained_rows, ops.explained_query, ops.explained_steps, ops.explained_lines, ops.explained_raw,
ops.has_explained_row, ops.explain, ops.explained_to_analysts,
marts.explain, marts.explained_masked, marts.explained_unmasked
from public;
grant execute on function ops.explained_schema, ops.explained_join, ops.explained_key,
ops.explained_rows, ops.explained_query, ops.explained_steps, ops.explained_lines, ops.explained_raw,
ops.has_explained_row, ops.explain, ops.explained_to_analysts, marts.explained_unmasked
to concord_pipeline;
grant execute on function ops.explain to concord_steward;
grant execute on function marts.explained_unmasked to concord_personal_data;
grant execute on function marts.explain, marts.explained_masked
to concord_analyst, concord_pipeline, concord_personal_data;
