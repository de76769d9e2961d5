-- Numbers that only a library can check, read once: a value is never looked at again.
create table identity.standard_values (
    kind text not null check (kind in ('tax_id', 'registration_id', 'phone')),
    country text not null,
    value text not null,
    standard text,
    is_valid boolean,
    standard_country text,
    primary key (kind, country, value)
);
comment on table identity.standard_values is 'Tax numbers, registration numbers and telephone numbers as written, with what they are in their standard form.';
comment on column identity.standard_values.country is 'Country of the records that hold the value; empty when it is not known.';
comment on column identity.standard_values.value is 'The value as compared before: numbers without punctuation, telephone numbers as written.';
comment on column identity.standard_values.standard is 'Without country prefix and punctuation; telephone numbers as E.164. Null when it could not be read.';
comment on column identity.standard_values.is_valid is 'Whether length, ranges and check digits are right; null where nobody knows how to check.';
comment on column identity.standard_values.standard_country is 'Country that issued the number, with its kind where a country has several: NO-org, DE-vat.';
