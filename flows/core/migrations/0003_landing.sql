alter table ops.batches add column column_types jsonb not null default '{}';
comment on column ops.batches.column_types is 'What the values of each column looked like in a sample; what drift of types is told by.';
