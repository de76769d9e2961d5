"""What must hold of ids before marts are built from them, as the identity suites describe it."""

from collections.abc import Iterator
from typing import Any

from flows.gates.identity_records import DOMAINS

Node = dict[str, Any]
TABLE = "judged_records"
COLUMNS = "source_system, entity, source_key, id, published_id, cluster_records, detail"
REVIEW = "Run `review-matches` and rule on the listed records, or add pairs to keep_apart.csv."
IF_MEANT = "If it is meant, raise `block_above` in expectations/suites/ and run again."


def suites() -> dict[str, list[Node]]:
    """Return the expectations of every domain, and of the blocks that were too large."""
    return {
        **{f"identity__{domain}": list(_suite(domain)) for domain in DOMAINS},
        "identity__refused_blocks": [_no_block_is_refused()],
    }


def tables() -> dict[str, str]:
    """Return the table that each suite looks at."""
    return {**dict.fromkeys(DOMAINS, TABLE), "refused_blocks": "refused_blocks"}


def _suite(domain: str) -> Iterator[Node]:
    yield _rule(
        domain,
        "finding = 'no_id'",
        rule="record_has_an_id",
        description=f"Every record of {domain} has an id.",
        advice="This is an error of the assignment, not of the data: run `identify` with `full`; "
        "report it if it stays.",
    )
    yield _rule(
        domain,
        "finding = 'cluster' and cluster_records > 100",
        rule="cluster_is_not_too_large",
        description="Few records share an id with more than 99 others.",
        advice="Usually one value that many share (a mailbox, a landlord, a placeholder) has "
        f"joined strangers. Look at what links them. {IF_MEANT}",
        block_above={"share": 0.01},
        floor=100,
    )
    yield _rule(
        domain,
        "finding = 'cluster' and cluster_records > 20",
        "warning",
        rule="cluster_is_small",
        description="No id stands for more than 20 records.",
        advice=f"Look at the larger ones before somebody else does. {REVIEW}",
    )
    yield from _moves(domain)
    yield _rule(
        domain,
        "finding = 'clash'",
        rule="keys_do_not_clash",
        description="Few records share a key with a clearly different one.",
        advice=f"They were not linked. Correct the key at its source. {REVIEW} {IF_MEANT}",
        block_above={"share": 0.02},
        floor=20,
    )


def _moves(domain: str) -> Iterator[Node]:
    yield _rule(
        domain,
        "finding = 'merged'",
        rule="few_are_merged",
        description="Against what is published, few records came to another id as a whole.",
        advice="Look at what links them now: new keys, an edited policy, a new model? "
        f"{REVIEW} {IF_MEANT}",
        block_above={"share": 0.05},
        floor=20,
    )
    yield _rule(
        domain,
        "finding = 'split'",
        rule="few_are_split",
        description="Against what is published, few records left the id of others.",
        advice="Look at what no longer links them: a column that came empty, an edited policy, "
        f"a new model? {REVIEW} {IF_MEANT}",
        block_above={"share": 0.05},
        floor=20,
    )


def _rule(domain: str, condition: str, severity: str = "critical", /, **meta: object) -> Node:
    query = f"select {COLUMNS} from {{batch}} where domain = '{domain}' and {condition}"
    return {
        "type": "unexpected_rows_expectation",
        "severity": severity,
        "kwargs": {"unexpected_rows_query": query},
        "meta": meta,
    }


def _no_block_is_refused() -> Node:
    return {
        "type": "unexpected_rows_expectation",
        "severity": "warning",
        "kwargs": {
            "unexpected_rows_query": "select domain, rule, block_key as source_key, records, "
            "pairs, reason from {batch} where records > 0"
        },
        "meta": {
            "rule": "no_block_is_refused",
            "description": "Every value that records are compared by is rare enough.",
            "advice": "Records that share only the listed values are not compared with each "
            "other. Clear placeholders at their source, or raise `largest_block` in "
            "match_policy.csv.",
        },
    }
