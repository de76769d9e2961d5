"""The answers of the sandbox's org have the shapes that the vendor documents."""

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from flows.sandbox.vendors.salesforce import sandbox as salesforce
from flows.sandbox.vendors.salesforce.sandbox import SalesforceSandbox
from flows.sandbox.vendors.shared.company import Company
from tests.fixtures.vendor_clients import salesforce_session

DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")


@pytest.fixture(scope="module")
def org(small_company: Company) -> Iterator[SalesforceSandbox]:
    with salesforce.served(small_company) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def session(org: SalesforceSandbox) -> Iterator[requests.Session]:
    with salesforce_session(org) as session:
        yield session


def ask(org: SalesforceSandbox, session: requests.Session, path: str, **params: str) -> Any:
    return session.get(f"{org.url}/services/data/v68.0/{path}", params=params, timeout=10)


def token(org: SalesforceSandbox, **form: str) -> requests.Response:
    return requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=10)


def test_a_token_looks_as_documented(org: SalesforceSandbox) -> None:
    known = org.credentials
    given = token(
        org,
        grant_type="client_credentials",
        client_id=known["client_id"],
        client_secret=known["client_secret"],
    ).json()
    assert set(given) == {
        "access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope",
    }  # fmt: skip
    assert given["access_token"].startswith("00D")
    assert "!" in given["access_token"]
    assert given["token_type"] == "Bearer"
    assert len(given["issued_at"]) == 13


def signed(key: rsa.RSAPrivateKey, **claims: object) -> str:
    def encoded(content: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")

    head = encoded({"alg": "RS256"}) + b"." + encoded(claims)
    signature = key.sign(head, padding.PKCS1v15(), hashes.SHA256())
    return (head + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    ("wrong", "error", "description"),
    [
        ({"iss": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": 1}, "invalid_grant", "assertion has expired"),
        ({"exp": time.time() + 7200}, "invalid_grant", "assertion has expired"),
    ],
)
def test_a_wrong_assertion_is_refused_by_name(
    org: SalesforceSandbox, wrong: dict[str, object], error: str, description: str
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    org.sessions.app.public_key = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    known = org.credentials
    right = {"iss": known["client_id"], "sub": known["username"],
             "aud": "https://login.salesforce.com", "exp": time.time() + 120}  # fmt: skip
    kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert token(org, grant_type=kind, assertion=signed(key, **right)).status_code == 200
    refused = token(org, grant_type=kind, assertion=signed(key, **{**right, **wrong}))
    assert refused.status_code == 400
    assert refused.json() == {"error": error, "error_description": description}
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = token(org, grant_type=kind, assertion=signed(stranger, **right))
    assert forged.json()["error"] == "invalid_grant"


def test_a_page_of_records_looks_as_documented(
    org: SalesforceSandbox, session: requests.Session
) -> None:
    soql = "SELECT Id, Name, IsDeleted, AnnualRevenue, SystemModstamp FROM Account LIMIT 1"
    reply = ask(org, session, "query", q=soql)
    page = reply.json()
    assert list(page) == ["totalSize", "done", "records"]
    record = page["records"][0]
    url = f"/services/data/v68.0/sobjects/Account/{record['Id']}"
    assert record["attributes"] == {"type": "Account", "url": url}
    assert (len(record["Id"]), record["IsDeleted"], record["AnnualRevenue"]) == (18, False, None)
    assert DATETIME.fullmatch(record["SystemModstamp"])
    assert re.fullmatch(r"api-usage=\d+/\d+", reply.headers["Sforce-Limit-Info"])


def test_ids_of_15_and_of_18_characters_are_the_same_record(
    org: SalesforceSandbox, session: requests.Session
) -> None:
    key = next(iter(org.script.truth()["Account"]))
    soql = f"SELECT Id FROM Account WHERE Id = '{key[:15]}'"
    assert ask(org, session, "query", q=soql).json()["records"][0]["Id"] == key
    assert ask(org, session, f"sobjects/Account/{key[:15]}").json()["Id"] == key
    odd = ask(org, session, "query", q="SELECT Id FROM Account WHERE Id = 'abc'")
    assert odd.json()[0]["errorCode"] == "INVALID_QUERY_FILTER_OPERATOR"


def test_refusals_look_as_documented(org: SalesforceSandbox, session: requests.Session) -> None:
    for path, status, code in (
        ("nothing", 404, "NOT_FOUND"),
        ("sobjects/Nothing/describe", 404, "NOT_FOUND"),
        ("sobjects/Account/001000000000000AAA", 404, "NOT_FOUND"),
        ("query/0r8000000000000AAA-2000", 400, "INVALID_QUERY_LOCATOR"),
        ("query/nonsense", 400, "INVALID_QUERY_LOCATOR"),
    ):
        reply = ask(org, session, path)
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (status, code)
        assert set(reply.json()[0]) == {"message", "errorCode"}
    old = session.get(f"{org.url}/services/data/v12.0/sobjects", timeout=10)
    assert old.status_code == 404
    method = session.delete(f"{org.url}/services/data/v68.0/limits", timeout=10)
    assert (method.status_code, method.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    bare = requests.get(f"{org.url}/services/data/v68.0/limits", timeout=10)
    assert (bare.status_code, bare.json()[0]["errorCode"]) == (401, "INVALID_AUTH_HEADER")
    long = ask(org, session, "query", q=f"SELECT Id FROM Account WHERE Name = '{'x' * 17000}'")
    assert long.status_code == 414


def test_a_query_job_looks_as_documented(org: SalesforceSandbox, session: requests.Session) -> None:
    url = f"{org.url}/services/data/v68.0/jobs/query"
    wanted = {"operation": "queryAll", "query": "SELECT Id, IsDeleted, CreatedDate FROM Account",
              "contentType": "CSV", "columnDelimiter": "PIPE", "lineEnding": "CRLF"}  # fmt: skip
    job = session.post(url, json=wanted, timeout=10).json()
    assert (job["state"], job["object"], job["apiVersion"]) == ("UploadComplete", "Account", 68.0)
    assert job["id"].startswith("750")
    assert session.get(f"{url}/{job['id']}/results", timeout=10).status_code == 204
    states = [session.get(f"{url}/{job['id']}", timeout=10).json()["state"] for _ in range(3)]
    assert states == ["InProgress", "JobComplete", "JobComplete"]
    result = session.get(f"{url}/{job['id']}/results", timeout=10)
    lines = result.content.decode().split("\r\n")
    assert lines[0] == '"Id"|"IsDeleted"|"CreatedDate"'
    assert re.fullmatch(r'"001\w{15}"\|"false"\|"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"', lines[1])
    assert result.headers["Sforce-NumberOfRecords"] == str(len(lines) - 2)
    pages = session.get(f"{url}/{job['id']}/resultPages", timeout=10).json()["resultPages"]
    again = session.get(org.url + pages[0]["resultUrl"], timeout=10)
    assert again.content == result.content
    assert session.delete(f"{url}/{job['id']}", timeout=10).status_code == 204
    assert session.get(f"{url}/{job['id']}", timeout=10).status_code == 404


def test_something_can_happen_between_two_pages(
    org: SalesforceSandbox, session: requests.Session
) -> None:
    key = max(org.script.truth()["Account"])
    org.script.rule(page_size=3)
    org.script.when("/query/", "delete", {"entity": "Account", "key": key})
    first = ask(org, session, "query", q="SELECT Id FROM Account").json()
    before = ask(org, session, f"sobjects/Account/{key}").status_code
    session.get(org.url + first["nextRecordsUrl"], timeout=10)
    after = ask(org, session, f"sobjects/Account/{key}").status_code
    assert (before, after) == (200, 404)
    org.script.undelete("Account", key)
    org.script.rule(page_size=None)
