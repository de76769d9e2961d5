"""Records identified day by day end in the same groups as all of them identified at once."""

import random
from typing import Any

import pytest

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.integration.staged import create_staging, new_run, stage

DAYS = 4
NAMES = (
    "Fjord Seafood AS",
    "Fjord Seafoods",
    "Nordic Timber Trading Ltd",
    "Nordic Timbr Trading",
    "Møller Verft A/S",
    "Moeller Verft",
    "Große Straße Logistik GmbH",
)
PEOPLE = (("Robert", "Lindqvist"), ("Bob", "Lindquist"), ("Åsa", "Holm"), ("Asa", "Holm"))
FORGET = """
truncate identity.scored_pairs, identity.scored_records, identity.scored_runs,
    identity.term_frequencies, identity.refused_blocks, identity.homes, identity.used_links,
    identity.used_records, identity.assignments, identity.blocked_links, identity.events,
    identity.customer_crosswalk, identity.customer_ids, identity.contact_crosswalk,
    identity.contact_ids, identity.product_crosswalk, identity.product_ids
"""


class Days:
    """Random rows of a CRM and an ERP that look alike, change, vanish and are ruled upon."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pass_one(self) -> None:
        """Let a day's changes happen."""
        run_id = new_run()
        for make in (self.account, self.customer, self.contact, self.product):
            for _ in range(self.random.randrange(2, 9)):
                name, system, values = make()
                deleted = self.random.random() < 0.15
                stage(name, system, run_id, **values, is_deleted=deleted)
        for _ in range(3):
            self.rule("customers", *self.random.choices(["accounts", "customers"], k=2))
            self.rule("contacts", "contacts", "contacts")

    def place(self) -> dict[str, str]:
        city, postal_code = self.random.choice([("Oslo", "0150"), ("Bergen", "5003")])
        street = self.random.choice(["Storgata 1", "STORGATA 1", "Kaiveien 22"])
        return {"street": street, "city": city, "postal_code": postal_code, "country": "NO"}

    def account(self) -> tuple[str, str, dict[str, Any]]:
        billing = {f"billing_{name}": value for name, value in self.place().items()}
        return "accounts", "crm", {
            "account_id": self.key("a"), "name": self.random.choice(NAMES),
            "tax_id": self.maybe("NO923609016MVA"), "phone": self.maybe("+47 22 33 44 55"),
            "erp_customer_id": self.maybe(self.key("c")),
            "merged_into_id": self.random.choice([None, None, None, self.key("a")]), **billing,
        }  # fmt: skip

    def customer(self) -> tuple[str, str, dict[str, Any]]:
        key = self.key("c")
        site = {"address_id": f"s{key}", "customer_id": key, "role": "billing", **self.place()}
        stage("addresses", "erp", new_run(), **site)
        return "customers", "erp", {
            "customer_id": key, "name": self.random.choice(NAMES),
            "tax_id": self.maybe("923 609 016"), "phone": self.maybe("22334455"),
        }  # fmt: skip

    def contact(self) -> tuple[str, str, dict[str, Any]]:
        first_name, last_name = self.random.choice(PEOPLE)
        return "contacts", self.random.choice(["crm", "erp"]), {
            "contact_id": self.key("p"), "first_name": first_name, "last_name": last_name,
            "email": self.maybe("r.lindqvist@example.org"), "account_id": self.key("a"),
        }  # fmt: skip

    def product(self) -> tuple[str, str, dict[str, Any]]:
        return "products", self.random.choice(["crm", "erp"]), {
            "product_id": self.key("i"), "product_number": self.random.choice(["N-1", "n1", "N2"]),
            "name": self.random.choice(["Valve", "Pump"]),
        }  # fmt: skip

    def rule(self, domain: str, *entities: str) -> None:
        """Let a person rule about two records, whether they exist or not."""
        prefix = {"accounts": "crm|accounts|a", "customers": "erp|customers|c"}
        pair = {
            prefix.get(name, "crm|contacts|p") + str(self.random.randrange(8)) for name in entities
        }
        if len(pair) == 2:
            ruling = self.random.choice(["same", "different", "unsure"])
            with connect() as connection:
                connection.execute(
                    "insert into ops.decisions (domain, left_record, right_record, ruling) "
                    "values (%s, %s, %s, %s)",
                    (domain, *sorted(pair), ruling),
                )

    def key(self, letter: str) -> str:
        return f"{letter}{self.random.randrange(8)}"

    def maybe(self, value: str) -> str | None:
        return value if self.random.random() < 0.4 else None


def identify(*, full: bool = False) -> None:
    run_id = new_run()
    identity.standardise(run_id)
    run_dbt(["run", "--select", "path:models/identity"], full=full)
    for domain in identity.MATCHED_DOMAINS:
        identity.match(domain, run_id)
    identity.assign(run_id)


def settled() -> dict[str, list[tuple[Any, ...]]]:
    """Return every domain's records with the first of their group and what linked them."""
    found = {}
    with connect() as connection:
        for singular in ("customer", "contact", "product"):
            query = (
                "select source_system, entity, source_key, method, rule, probability, "
                "min(source_system || '|' || entity || '|' || source_key) "
                f"over (partition by {singular}_id) "
                f"from identity.{singular}_crosswalk where is_current order by 1, 2, 3"
            )
            found[singular] = connection.execute(query.encode()).fetchall()
        blocked = "select * from identity.blocked_links order by 1, 2, 3"
        found["blocked"] = [row[:-1] for row in connection.execute(blocked.encode())]
    return found


def paired() -> dict[str, list[tuple[Any, ...]]]:
    """Return every pair that shares a value, with what came of it."""
    columns = "left_record, right_record, rule, is_rule, clash, value_hash"
    with connect() as connection:
        return {
            singular: connection.execute(
                f"select {columns} from identity.{singular}_key_pairs order by 1, 2, 3, 6".encode()
            ).fetchall()
            for singular in ("customer", "contact", "product")
        }


@pytest.mark.usefixtures("warehouse")
def test_records_identified_day_by_day_are_grouped_as_all_at_once() -> None:
    create_staging()
    days = Days(seed=20261123)
    for _ in range(DAYS):
        days.pass_one()
        identify()
    grown, pairs = settled(), paired()
    with connect() as connection:
        connection.execute(FORGET)
    identify(full=True)
    assert settled() == grown
    assert paired() == pairs
    assert all(pairs.values())
    for domain in ("customer", "contact", "product"):
        assert len({row[-1] for row in grown[domain]}) < len(grown[domain])
    assert {"key", "model"} <= {row[3] for rows in grown.values() for row in rows}
