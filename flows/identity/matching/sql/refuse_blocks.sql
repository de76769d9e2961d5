insert into identity.refused_blocks (
    domain, block, rule, block_key, records, pairs, reason, version
)
select distinct on (large.block)
    {domain},
    large.block,
    blocks.rule,
    left(blocks.block_key, 200),
    large.records,
    large.records * (large.records - 1) / 2,
    format('%s different records share it; at most %s may', large.records, {largest_block}::text),
    {version}
from {blocks} as blocks
inner join too_large_blocks as large
    on hashtextextended(blocks.rule || ':' || blocks.block_key, 0) = large.block
order by large.block, blocks.rule, blocks.block_key;
