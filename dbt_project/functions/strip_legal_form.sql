{#- A name of nothing but forms keeps one. In plpgsql, since counting words from both ends takes
    SQL a sort per name. -#}
{%- set forms = identity_legal_forms() -%}
declare
    words constant text[] := string_to_array(value, ' ');
    first_place integer := 1;
    last_place integer := cardinality(words);
begin
    while last_place > 1 and {{ forms.at_end }} ? words[last_place] loop
        last_place := last_place - 1;
    end loop;
    while first_place < last_place and {{ forms.at_start }} ? words[first_place] loop
        first_place := first_place + 1;
    end loop;
    return array_to_string(words[first_place:last_place], ' ');
end
