{#- Which of several of one name, by what follows it: Sr, Jr, II; null without such a word. -#}
select case substring(lower(value), '[ ,](sr|senior|jr|junior|i{1,3})[ .]*$')
    when 'sr' then '1'
    when 'senior' then '1'
    when 'i' then '1'
    when 'jr' then '2'
    when 'junior' then '2'
    when 'ii' then '2'
    when 'iii' then '3'
end
