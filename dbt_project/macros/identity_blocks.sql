{#- The records whose blocks may have changed: computed anew since, or gone. -#}
{% macro identity_affected_blocks(records) %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {{- affected_keys([
        "select record from " ~ ref(records)
            ~ " where version > (select coalesce(max(version), 0) from " ~ this ~ ")",
        "select block.record from " ~ this ~ " as block where not exists (select from "
            ~ ref(records) ~ " as kept where kept.record = block.record)",
    ]) -}}
{% endmacro %}
