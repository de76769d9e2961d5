-- What the gate has to judge. A refused batch whose file has been landed again no longer decides
-- on its own whether the gate opens: what is still wrong with it goes to quarantine.
create view ops.pending_batches as
select
    batch.*,
    batch.status = 'refused' and exists (
        select from ops.batches as newer
        where newer.connection = batch.connection
            and newer.object = batch.object
            and newer.file is not distinct from batch.file
            and newer.batch_id > batch.batch_id
            and newer.status in ('landed', 'refused', 'accepted', 'staged')
    ) as is_replaced
from ops.batches as batch
where batch.status in ('landed', 'refused', 'accepted');
comment on view ops.pending_batches is 'Batches that wait for the gate or for staging; is_replaced: refused before, and the same file was landed again since.';

create index rows_open_by_batch on quarantine.rows (batch_id) where status = 'open';
create index rows_closed_by_run on quarantine.rows (closed_run_id) where closed_run_id is not null;
