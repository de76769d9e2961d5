"""Signing in to Salesforce, checking a connection, and what it says about its own fields."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from flows.core.errors import ConnectionsError
from flows.core.warehouse import connect
from flows.landing import land_connection
from flows.sources import check_source
from flows.sources.connections import ConnectionConfig
from flows.sources.salesforce.source import open_salesforce
from tests.fixtures.salesforce import Org, agrees

pytestmark = pytest.mark.usefixtures("salesforce_warehouse")


def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def test_a_signed_statement_signs_in(org: Org) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    org.sandbox.sessions.app.public_key = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    org.options |= {"private_key": pem.decode(), "username": org.sandbox.credentials["username"]}
    org.land("Account")
    assert agrees(org, "Account")


def test_a_signed_statement_signs_in_although_the_clocks_differ(org: Org) -> None:
    org.script.advance_clock(seconds=3600)
    test_a_signed_statement_signs_in(org)


def test_a_check_says_what_works_and_what_a_run_costs(org: Org) -> None:
    report = check_source(org.config)
    org.calls()
    org.land_all()
    org.calls()
    org.land_all()

    assert report.is_good
    assert report.calls_of_a_quiet_run is not None
    assert abs(report.calls_of_a_quiet_run - len(org.calls())) <= 1
    assert any("Contact: 24 rows" in line for line in report.lines())
    assert report.quota_limit


def test_a_check_names_the_missing_permission(org: Org) -> None:
    org.script.hide_field("Account", "Phone")
    org.options["objects"] = "Nothing__c"
    found = {one.subject: one for one in check_source(org.config).findings if not one.is_good}
    assert set(found) == {"Account", "Nothing__c"}
    assert "grant the user the fields Phone" in found["Account"].detail


def test_a_check_says_why_signing_in_fails(org: Org) -> None:
    org.options["client_secret"] = "wrong-secret"
    (finding,) = check_source(org.config).findings
    assert not finding.is_good
    assert "invalid client credentials" in finding.detail
    assert "wrong-secret" not in finding.detail


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no 'client_id'"),
        ({"client_id": "x"}, "neither 'client_secret' nor 'private_key'"),
        ({"client_id": "x", "client_secret": "y"}, "My Domain"),
        ({"client_id": "x", "private_key": "y"}, "no 'username'"),
        ({"client_id": "x", "private_key_file": "/nowhere"}, "cannot be read"),
        (
            {"client_id": "x", "client_secret": "y", "instance_url": "z", "bulk_from": "many"},
            "'bulk_from' of connection crm must be a number",
        ),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, str], words: str) -> None:
    with pytest.raises(ConnectionsError, match=words):
        open_salesforce(ConnectionConfig("crm", "salesforce", options))


def test_fields_of_ones_own_fill_canonical_columns(org: Org) -> None:
    org.script.add_field("Account", "VAT__c")
    key = min(org.truth("Account"))
    org.script.save("Account", key, {"VAT__c": "NO123456785MVA", "CurrencyIsoCode": None})
    org.options |= {"map_fields": "accounts.tax_id=VAT__c", "currency": "NOK"}
    org.land("Account")

    found = query("select tax_id, currency from raw.accounts where account_id = %s", key)
    assert found == [("NO123456785MVA", "NOK")]


def test_a_mapping_to_no_column_is_refused(org: Org) -> None:
    org.options["map_fields"] = "accounts.vat=VAT__c"
    with pytest.raises(ConnectionsError, match=r"accounts\.tax_id=VAT_Number__c"):
        org.land("Account")


def test_two_organisations_stand_side_by_side(org: Org) -> None:
    org.land("Account")
    other = ConnectionConfig("crm_us", "salesforce", dict(org.config.options))
    land_connection(other, run_id=None, objects=["Account"])
    counts = "select source_system, count(*) from raw.accounts group by 1 order by 1"
    assert query(counts) == [("crm", 12), ("crm_us", 12)]


def test_a_condition_on_the_batch_reaches_the_raw_table(org: Org) -> None:
    org.land("Account")
    plan = query("explain select name from raw.accounts where batch_id = 7")
    text = "\n".join(line for (line,) in plan)
    assert text.count("batch_id = 7") == text.count('on "Account"') > 0
