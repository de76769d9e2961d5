-- What the matching model found, and what it needs to know to score only what changed.
create function identity.frequency_bucket(count bigint) returns integer
language sql immutable strict parallel safe
return width_bucket(
    count,
    '{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072,
    262144, 524288, 1048576, 2097152, 4194304, 8388608, 16777216, 33554432, 67108864, 134217728,
    268435456, 536870912, 1073741824}'::bigint []
);
comment on function identity.frequency_bucket(bigint) is 'How many binary digits a count has: counts between two powers of two are alike, so that weights stay put while a table grows.';

create table identity.scored_pairs (
    domain text not null,
    left_record text not null,
    right_record text not null,
    match_weight double precision not null,
    probability double precision not null,
    levels jsonb not null,
    weights jsonb not null,
    version bigint not null,
    primary key (domain, left_record, right_record),
    constraint a_pair_is_in_order check (left_record < right_record)
);
create index scored_pairs_by_right_record on identity.scored_pairs (domain, right_record);
comment on table identity.scored_pairs is 'Pairs of records that the matching model holds for possible, at or above the lowest review threshold. More than a few identical records are linked to the first of them only.';
comment on column identity.scored_pairs.match_weight is 'Bits of evidence, prior included: probability = 1 / (1 + 2^-weight).';
comment on column identity.scored_pairs.levels is 'The level of agreement per comparison.';
comment on column identity.scored_pairs.weights is 'The bits that each comparison added or took away, the rarity of values included.';
comment on column identity.scored_pairs.version is 'The run that found the pair as it is now.';

create table identity.scored_records (
    domain text not null,
    record text not null,
    features uuid not null,
    terms text [] not null,
    blocks bigint [] not null,
    primary key (domain, record)
);
create index scored_records_by_features on identity.scored_records (domain, features);
comment on table identity.scored_records is 'Every record as it was when its pairs were last scored; equal features are compared once.';

create table identity.term_frequencies (
    domain text not null,
    term text collate "C" not null,
    records bigint not null,
    primary key (domain, term)
);
comment on table identity.term_frequencies is 'How many records hold a value, as column=value; a rare value says more than a common one.';

create table identity.refused_blocks (
    domain text not null,
    block bigint not null,
    rule text not null,
    block_key text not null,
    records bigint not null,
    pairs bigint not null,
    reason text not null,
    version bigint not null,
    primary key (domain, block)
);
comment on table identity.refused_blocks is 'Blocks that no pairs are made from, since too many different records share the value.';

create table identity.scored_runs (
    domain text not null,
    version bigint not null,
    parameters uuid not null,
    population integer not null,
    is_full boolean not null,
    records bigint not null,
    affected_records bigint not null,
    compared_pairs bigint not null,
    scored_pairs bigint not null,
    refused_blocks bigint not null,
    seconds double precision not null,
    scored_at timestamptz not null default clock_timestamp(),
    primary key (domain, version)
);
comment on table identity.scored_runs is 'One row per domain and run of the matching model; the newest says what the scores are based on.';
