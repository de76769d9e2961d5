"""Publish a slot, or go back to the one before."""

from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Connection

from flows.core.errors import PublicationRefusedError
from flows.core.warehouse import connect
from flows.publishing import ledger, slots
from flows.publishing.catalogue import Catalogue, read_catalogue
from flows.publishing.dependents import Outcome, broken_by
from flows.publishing.flip import flip
from flows.publishing.plan import Plan, Source, make_plan

APPLICATION = "concord publishing"
PATIENCE = 30.0


@dataclass(frozen=True)
class Publication:
    """What analysts read now, and what publishing it changed."""

    publication_id: int
    run_id: int | None
    slot: str
    version: int
    kind: str
    published_at: datetime
    tables: tuple[ledger.TableDifference, ...]
    is_unchanged: bool = False
    analyst_views: tuple[Outcome, ...] = ()
    added_columns: tuple[str, ...] = ()
    filled_columns: tuple[str, ...] = ()

    @property
    def dropped_views(self) -> tuple[Outcome, ...]:
        """Analysts' own views that a breaking change took, with what makes them again."""
        return tuple(view for view in self.analyst_views if view.outcome == "dropped")


def publish(
    slot: str,
    run_id: int | None,
    *,
    allow_breaking: bool = False,
    catalogue: Catalogue | None = None,
    patience: float = PATIENCE,
) -> Publication:
    """Point the views analysts read at a complete slot, all in one transaction.

    The same slot and version again change nothing. Raises PublicationRefusedError when columns or
    tables would go or change type (unless allowed) or the slot is not complete, TransientError when
    analysts hold the views for longer than patience (seconds).
    """
    wished = catalogue or read_catalogue()
    with connect(application=APPLICATION) as connection:
        slots.lock(connection)
        state = slots.complete(connection, slot)
        live = ledger.live(connection)
        plan = make_plan(
            connection, Source(slot, wished), ledger.published_tables(connection, live)
        )
        if live and _is_published(live, state, plan):
            return replace(_read(connection, live.publication_id), is_unchanged=True)
        _refuse_losses(connection, plan, allow_breaking=allow_breaking)
        new = ledger.NewRecord(run_id, slot, state.version, "publish", plan.fingerprint, wished)
        publication_id = ledger.make_live(connection, new)
        ledger.measure(connection, publication_id, slot, _sums(plan, wished))
        ledger.compare(connection, publication_id, live)
        return _flip(connection, publication_id, plan, patience)


def rollback(
    run_id: int | None = None, *, allow_breaking: bool = False, patience: float = PATIENCE
) -> Publication:
    """Point the views back at the slot that was published before; a second time is refused.

    Columns and tables that the older slot lacks stay, as nulls and without rows. Raises
    PublicationRefusedError when there is nothing to go back to, or it was rebuilt since.
    """
    with connect(application=APPLICATION) as connection:
        slots.lock(connection)
        live = _live_to_leave(connection)
        earlier = _intact(connection, ledger.before(connection, live))
        catalogue = Catalogue.from_json(earlier.catalogue).masking_also(
            Catalogue.from_json(live.catalogue)
        )
        source = Source(earlier.slot, catalogue, fill=True)
        plan = make_plan(connection, source, ledger.published_tables(connection, live))
        _refuse_losses(connection, plan, allow_breaking=allow_breaking)
        new = ledger.NewRecord(
            run_id, earlier.slot, earlier.version, "rollback", plan.fingerprint, catalogue
        )
        publication_id = ledger.make_live(connection, new)
        names = [view.table for view in plan.views]
        ledger.copy_measures(connection, publication_id, earlier, names)
        ledger.compare(connection, publication_id, live)
        return _flip(connection, publication_id, plan, patience)


def _is_published(live: ledger.Record, state: slots.Slot, plan: Plan) -> bool:
    same = (live.slot, live.version, live.fingerprint)
    return same == (state.slot, state.version, plan.fingerprint) and not plan.is_visible


def _refuse_losses(connection: Connection, plan: Plan, *, allow_breaking: bool) -> None:
    if not plan.losses or allow_breaking:
        return
    broken = ", ".join(broken_by(connection, plan.losses)) or "none"
    raise PublicationRefusedError(
        f"Publishing slot {plan.slot} would take from analysts: "
        f"{'; '.join(map(str, plan.losses))}. Views that use them: {broken}. "
        "Nothing changed; bring the columns back, or publish with breaking changes allowed."
    )


def _sums(plan: Plan, catalogue: Catalogue) -> dict[str, list[str]]:
    return {
        name: [
            column
            for column in catalogue.sums.get(name, ())
            if any(present.name == column for present in table.columns)
        ]
        for name, table in plan.tables.items()
    }


def _flip(connection: Connection, publication_id: int, plan: Plan, patience: float) -> Publication:
    built_at = slots.read(connection, plan.slot).built_at
    outcomes = flip(connection, plan, built_at, patience)
    ledger.keep_outcomes(connection, publication_id, outcomes)
    return replace(
        _read(connection, publication_id),
        analyst_views=tuple(outcomes),
        added_columns=tuple(f"{view.table}.{name}" for view in plan.views for name in view.added),
        filled_columns=tuple(f"{view.table}.{name}" for view in plan.views for name in view.filled),
    )


def _read(connection: Connection, publication_id: int) -> Publication:
    found = ledger.record(connection, publication_id)
    assert found is not None  # noqa: S101 - recorded in this transaction or live
    return Publication(
        publication_id=found.publication_id,
        run_id=found.run_id,
        slot=found.slot,
        version=found.version,
        kind=found.kind,
        published_at=found.published_at,
        tables=tuple(ledger.read_differences(connection, publication_id)),
    )


def _live_to_leave(connection: Connection) -> ledger.Record:
    live = ledger.live(connection)
    if live is None:
        raise PublicationRefusedError("Nothing is published, so there is nothing to go back from.")
    if live.kind == "rollback":
        raise PublicationRefusedError(
            f"The live publication {live.publication_id} is itself a rollback; going back once "
            "more would publish what was left. Run `concord publish` to go forward."
        )
    return live


def _intact(connection: Connection, earlier: ledger.Record | None) -> ledger.Record:
    if earlier is None:
        raise PublicationRefusedError("There is no earlier publication to go back to.")
    state = slots.read(connection, earlier.slot)
    if state.is_building or state.version != earlier.version:
        found = "being rebuilt" if state.is_building else f"at version {state.version}"
        raise PublicationRefusedError(
            f"Slot {earlier.slot} was published at version {earlier.version} but is {found} now, "
            "so there is nothing to go back to. Repair the data and publish again."
        )
    return earlier
