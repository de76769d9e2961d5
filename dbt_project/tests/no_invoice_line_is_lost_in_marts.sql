{{ config(tags=['integrity']) }}
{{ lines_lost_in_marts('invoice') }}
