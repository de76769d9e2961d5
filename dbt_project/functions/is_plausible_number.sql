{#- Of six to twenty characters with five digits or more, and neither 1111111 nor 123456789. -#}
select
    length(value) between 6 and 20
    and length(translate(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '')) >= 5
    and btrim(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') not in (
        '123456', '1234567', '12345678', '123456789', '1234567890',
        '0123456', '01234567', '012345678', '0123456789'
    )
    and length(replace(
        translate(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', ''),
        right(translate(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', ''), 1),
        ''
    )) > 0
