"""A completed document is kept as it was; what changes afterwards is shown and does not pass."""

import pytest

from flows import documents
from flows.core.errors import SealError
from flows.core.warehouse import connect
from flows.documents import SealReport
from tests.integration.documents import belongs_to, bill, build, line, order, prepare, rows, ship
from tests.integration.staged import new_run, stage

BREACHES = (
    "select document_id, kind, differing_fields, sealed_net_amount, found_net_amount "
    "from marts_a.sealed_document_breaches order by document_id"
)


def build_and_seal(run_id: int) -> SealReport:
    build("a", run_id)
    with connect() as connection:
        return documents.seal(connection, "a", run_id)


def accept(breach_id: int, **said: str) -> None:
    with connect() as connection:
        documents.accept_breach(connection, breach_id, **said)


def open_breaches() -> list[documents.Breach]:
    with connect() as connection:
        return documents.open_breaches(connection)


def test_a_change_of_a_closed_order_is_shown_until_it_is_accepted_or_taken_back(
    warehouse: str,
) -> None:
    run_id = prepare()
    order(run_id)
    line(run_id, "l1")
    ship(run_id, "S1", "l1", 10)
    assert build_and_seal(run_id) == SealReport(0, 0, 0, 0)

    run_id = new_run()
    bill(run_id, "I1", "l1", 10, 100)
    assert build_and_seal(run_id) == SealReport(2, 0, 0, 0)
    with connect() as connection:
        assert documents.seal(connection, "a", run_id) == SealReport(0, 0, 0, 0)

    # Payments, statuses, addresses, who the customer is, and credit notes go on as they must.
    run_id = new_run()
    bill(run_id, "I1", "l1", 10, 100, open_amount=0, status="paid")
    bill(run_id, "N1", "l1", -1, -10, type="credit_note", reason="goodwill")
    order(run_id, status="closed")
    belongs_to("C-2", "c1", run_id)
    stage("addresses", "erp", run_id, address_id="a1", customer_id="c1", street="Havnegata 9")
    assert build_and_seal(run_id) == SealReport(1, 0, 0, 0)
    sealed = rows("select addresses ->> 'ship_to_street' from ops.seals where document_id = 'O1'")
    assert sealed == [("Storgata 1",)]

    run_id = new_run()
    line(run_id, "l1", net_amount=90)
    assert build_and_seal(run_id) == SealReport(0, 1, 0, 1)
    assert rows(BREACHES) == [("O1", "changed", "gross_amount, lines, net_amount", 100, 90)]
    was_and_is = "select sealed_content::jsonb #>> '{lines,0,net_amount}', "
    was_and_is += "found_content::jsonb #>> '{lines,0,net_amount}'"
    assert rows(f"{was_and_is} from marts_a.sealed_document_breaches") == [("100", "90")]

    # The ERP takes it back.
    run_id = new_run()
    line(run_id, "l1")
    assert build_and_seal(run_id) == SealReport(0, 0, 1, 0)
    assert rows(BREACHES) == []

    run_id = new_run()
    stage("invoices", "erp", run_id, invoice_id="I1", is_deleted=True)
    assert build_and_seal(run_id) == SealReport(0, 1, 0, 1)
    assert rows(BREACHES) == [("I1", "vanished", None, 100, None)]
    (breach,) = open_breaches()
    assert (breach.document_id, breach.has_vanished) == ("I1", True)
    with pytest.raises(SealError, match="a name and a reason"):
        accept(breach.breach_id, decided_by="ada", note=" ")
    accept(breach.breach_id, decided_by="ada", note="issued to the wrong company")
    with pytest.raises(SealError, match="No breach"):
        accept(breach.breach_id, decided_by="ada", note="again")
    assert build_and_seal(new_run()) == SealReport(0, 0, 0, 0)
    assert rows(BREACHES) == []
    kept = "select count(*) from ops.seals where document_id = 'I1' and superseded_at is not null"
    assert rows(kept) == [(1,)]


def test_a_change_that_a_steward_accepts_is_sealed_in_its_place(warehouse: str) -> None:
    run_id = prepare()
    order(run_id)
    line(run_id, "l1")
    ship(run_id, "S1", "l1", 10)
    bill(run_id, "I1", "l1", 10, 100)
    assert build_and_seal(run_id).sealed == 2
    run_id = new_run()
    line(run_id, "l1", product_number="B")
    assert build_and_seal(run_id).new_breaches == 1
    (breach,) = open_breaches()
    accept(breach.breach_id, decided_by="ada", note="wrong article was typed")
    assert build_and_seal(new_run()) == SealReport(0, 0, 0, 0)
    of_the_order = (
        "select superseded_at is null, content -> 'lines' -> 0 ->> 'product_number' "
        "from ops.seals where document_id = 'O1' order by seal_id"
    )
    assert rows(of_the_order) == [(False, "A"), (True, "B")]
