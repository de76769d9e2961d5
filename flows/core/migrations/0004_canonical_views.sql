-- Reading text in a declared form: null when the text is not in that form, never an error.

create function raw.to_number(value text, decimal_mark text, thousands_mark text) returns numeric
language sql immutable parallel safe
return case
    when length(value) < 1000 and value !~ '[+-].*-\s*$' and value ~ (
        '^\s*[+-]?((\d+|\d{1,3}([' || thousands_mark || ']\d{3})+)([' || decimal_mark || ']\d*)?|['
        || decimal_mark || ']\d+)([eE][+-]?\d{1,3})?-?\s*$'
    )
        then case
            when value ~ '-\s*$'
                then -translate(value, decimal_mark || thousands_mark || ' -', '.')::numeric
            else translate(value, decimal_mark || thousands_mark || ' ', '.')::numeric
        end
end;
comment on function raw.to_number(text, text, text) is 'Reads a number written with the given decimal and thousands marks, a minus before or after it; null when it is not one.';

create function raw.to_number(value text, decimal_mark text) returns numeric
language sql immutable parallel safe
return raw.to_number(value, decimal_mark, chr(31));
comment on function raw.to_number(text, text) is 'Reads a number without thousands marks; null when it is not one.';

create function raw.to_whole_number(value numeric) returns numeric
language sql immutable parallel safe
return case when value = trunc(value) then trunc(value) end;
comment on function raw.to_whole_number is 'The number without decimals; null when it has some.';

create function raw.to_boolean(value text) returns boolean
language sql immutable parallel safe
return case
    when lower(btrim(value)) in ('true', 't', 'yes', 'y', '1', 'on', '-1') then true
    when lower(btrim(value)) in ('false', 'f', 'no', 'n', '0', 'off') then false
end;
comment on function raw.to_boolean is 'Reads yes and no in their usual spellings; null for any other text.';

create function raw.to_date(value text, pattern text, iso text) returns date
language sql stable parallel safe
return case
    when value ~ pattern and pg_input_is_valid(regexp_replace(value, pattern, iso), 'date')
        then regexp_replace(value, pattern, iso)::date
end;
comment on function raw.to_date is 'Reads a date whose pattern is given, put in ISO order by the replacement; null when it is not one.';

create function raw.to_timestamp(value text, pattern text, iso text) returns timestamptz
language sql stable parallel safe
return case
    when value ~ pattern and pg_input_is_valid(regexp_replace(value, pattern, iso), 'timestamptz')
        then regexp_replace(value, pattern, iso)::timestamptz
end;
comment on function raw.to_timestamp is 'Reads a moment whose pattern is given, put in ISO order by the replacement; null when it is not one.';

-- What the views raw.<entity> are made of.

create table ops.canonical_selects (
    connection text not null,
    entity text not null,
    select_sql text not null,
    changed_at timestamptz not null default now(),
    primary key (connection, entity)
);
comment on table ops.canonical_selects is 'How each connection fills each canonical entity; kept when a connection is no longer configured, so that its rows stay readable.';

create table ops.canonical_views (
    entity text primary key,
    definition text not null,
    changed_at timestamptz not null default now()
);
comment on table ops.canonical_views is 'The definition each view raw.<entity> was made from, so that an unchanged view is left alone.';
