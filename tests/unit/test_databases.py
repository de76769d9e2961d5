"""URLs of databases on one server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flows.core.databases import database_name, with_database

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=20)


@given(user=TEXT, password=TEXT, name=TEXT)
def test_any_credentials_survive_a_change_of_database(user: str, password: str, name: str) -> None:
    url = with_database("host=db.example port=5433 dbname=first", name)
    again = with_database(_with_credentials(url, user, password), name)
    parts = conninfo_to_dict(again)
    assert (parts["user"], parts["password"], parts["dbname"]) == (user, password, name)
    assert (parts["host"], parts["port"]) == ("db.example", "5433")


def _with_credentials(url: str, user: str, password: str) -> str:
    return make_conninfo(url, user=user, password=password)


def test_options_of_a_url_are_kept() -> None:
    url = with_database("postgresql://u:p@db/first?sslmode=require", "second")
    assert url == "postgresql://u:p@db/second?sslmode=require"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://u@db/sales", "sales"),
        ("postgresql://u@db", "u"),
        ("host=db dbname='two words'", "two words"),
    ],
)
def test_the_database_of_a_url_is_found_in_any_spelling(url: str, name: str) -> None:
    assert database_name(url) == name


def test_a_unix_socket_folder_survives_a_change_of_database() -> None:
    parts = conninfo_to_dict(with_database("host=/var/run/postgresql user=u dbname=a", "b"))
    assert (parts["host"], parts["dbname"]) == ("/var/run/postgresql", "b")
