{#- Short names for the functions of one definition: how a value is compared. -#}

{% macro identity_normalise_postal_code(text) -%}
    {{ function('normalise_postal_code') }}({{ text }})
{%- endmacro %}

{#- A street or town, or a name that stands beside one. -#}
{% macro identity_normalise_address(text) -%}
    {{ function('fold_words') }}({{ text }})
{%- endmacro %}

{#- The legal forms of the seed: single words at the start or the end of a name with their codes,
    and those of several words. -#}
{% macro identity_legal_forms() %}
    {%- set seed = ref('legal_forms') -%}
    {%- if not execute -%} {{- return({'at_end': '', 'at_start': '', 'of_words': []}) -}} {%- endif -%}
    {%- set rows = run_query('select form, code, place from ' ~ seed ~ ' order by length(form) desc, form').rows -%}
    {%- set at_end, at_start, of_words = {'and': none}, {}, [] -%}
    {%- for row in rows -%}
        {%- if ' ' in row['form'] -%}
            {%- do of_words.append({'form': row['form'], 'code': row['code']}) -%}
            {%- do at_end.update({row['code']: row['code']}) -%}
        {%- else -%}
            {%- if row['place'] != 'start' -%} {%- do at_end.update({row['form']: row['code']}) -%} {%- endif -%}
            {%- if row['place'] != 'end' -%} {%- do at_start.update({row['form']: row['code']}) -%} {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return({
        'at_end': "'" ~ tojson(at_end) ~ "'::jsonb",
        'at_start': "'" ~ tojson(at_start) ~ "'::jsonb",
        'of_words': of_words,
    }) -}}
{% endmacro %}

{#- Words that say nothing about which company is meant. -#}
{% macro identity_stop_words() -%}
    '{and,the,of,for,in,at,on,de,la,le,les,du,des,del,di,da,der,die,das,den,det,von,van,zu,fur,til,av,al,el}'::text[]
{%- endmacro %}

{#- Abbreviations in company names, folded, and what they stand for. -#}
{% macro identity_abbreviations() -%}
    {%- set words = {
        'intl': 'international', 'internatl': 'international', 'natl': 'national',
        'mfg': 'manufacturing', 'mfgr': 'manufacturer', 'mfr': 'manufacturer', 'bros': 'brothers',
        'gebr': 'gebruder', 'st': 'saint', 'sankt': 'saint', 'assoc': 'associates',
        'assocs': 'associates', 'assn': 'association', 'dept': 'department', 'univ': 'university',
        'inst': 'institute', 'tech': 'technology', 'technologies': 'technology',
        'svc': 'services', 'svcs': 'services', 'serv': 'services', 'service': 'services',
        'ind': 'industries', 'inds': 'industries', 'industry': 'industries',
        'eng': 'engineering', 'engg': 'engineering', 'engr': 'engineering', 'mgmt': 'management',
        'mgt': 'management', 'grp': 'group', 'gruppe': 'group', 'gruppen': 'group',
        'konzern': 'group', 'konsern': 'group', 'hldg': 'holdings', 'hldgs': 'holdings',
        'holding': 'holdings', 'dist': 'distribution', 'distr': 'distribution',
        'bldg': 'building', 'bldrs': 'builders', 'ctr': 'center', 'cntr': 'center',
        'centre': 'center', 'mkt': 'market', 'mktg': 'marketing', 'labs': 'laboratories',
        'lab': 'laboratories', 'pharma': 'pharmaceuticals', 'pharm': 'pharmaceuticals',
        'sys': 'systems', 'system': 'systems', 'comm': 'communications',
        'telecom': 'telecommunications', 'elec': 'electric', 'electr': 'electric',
        'amer': 'american', 'ges': 'gesellschaft', 'transp': 'transport', 'hosp': 'hospital',
        'mt': 'mount', 'ft': 'fort', 'govt': 'government', 'equip': 'equipment',
        'equipt': 'equipment', 'constr': 'construction', 'const': 'construction',
        'prods': 'products', 'prod': 'products', 'chem': 'chemical', 'chems': 'chemicals',
        'ins': 'insurance', 'inv': 'investments', 'invs': 'investments', 'fin': 'financial',
        'res': 'research', 'dev': 'development', 'envir': 'environmental', 'maint': 'maintenance',
        'sup': 'supply', 'whse': 'warehouse', 'restr': 'restaurant', 'org': 'organisation',
        'organization': 'organisation',
    } -%}
    '{{ tojson(words) }}'::jsonb
{%- endmacro %}
