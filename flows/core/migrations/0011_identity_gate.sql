-- What the identity gate looks at, gathered before it judges: only what stands out.
create table identity.judged_records (
    domain text not null,
    finding text not null check (finding in ('cluster', 'merged', 'split', 'clash', 'no_id')),
    source_system text not null,
    entity text not null,
    source_key text not null,
    id text,
    published_id text,
    cluster_records bigint,
    detail text
);
create index judged_records_by_finding on identity.judged_records (domain, finding);
comment on table identity.judged_records is 'The records that stood out when the identity gate last judged: in larger clusters, moved since the live publication, key clashes, records without an id.';
comment on column identity.judged_records.cluster_records is 'How many records share the id; clusters of five or fewer are not listed.';
comment on column identity.judged_records.published_id is 'The id that the record had when what is live was built.';

create view identity.published_at as
select coalesce(run.finished_at, publication.published_at) as at
from ops.publications as publication
left join ops.runs as run on publication.version = run.run_id
where publication.is_live;
comment on view identity.published_at is 'Until when the ids of the live publication held; no row while nothing is published.';
