-- One text that differs when any record, link or ruling does; comparing it is all an idle run does.
select
    concat_ws(
        ' ',
        (
            select concat_ws(
                ' ',
                count(*),
                bit_xor(hashtextextended(concat_ws(' ', record, is_merged, conflict_keys, face), 0))
            )
            from source_records
        ),
        (
            select concat_ws(
                ' ',
                count(*),
                bit_xor(
                    hashtextextended(
                        concat_ws(' ', left_record, right_record, method, rule, probability), 0
                    )
                )
            )
            from source_links
        )
    ) as fingerprint,
    (select fingerprint from identity.assignments where domain = {domain}) as last_fingerprint,
    (select policy from identity.assignments where domain = {domain}) as last_policy
