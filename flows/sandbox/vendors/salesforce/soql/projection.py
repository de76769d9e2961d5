"""What a query selects: from fields, parents and children to the objects of the answer."""

from collections.abc import Callable
from typing import Any

from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.soql.binding import Binder, getter
from flows.sandbox.vendors.salesforce.soql.conditions import Getter, Values
from flows.sandbox.vendors.salesforce.soql.syntax import FieldSet, Path, Query
from flows.sandbox.vendors.salesforce.soql.tokens import malformed

Render = Callable[[Values], dict[str, Any]]
MOST_WITH_ALL_FIELDS = 200


def attributes(entity: str, key: str, version: str) -> dict[str, str]:
    """Return what every record says of itself."""
    return {"type": entity, "url": f"/services/data/v{version}/sobjects/{entity}/{key}"}


class Projection:
    """The selected paths of one query, bound to the org."""

    def __init__(self, binder: Binder, query: Query, version: str) -> None:
        self.entity = binder.entity
        self.version = version
        self.paths = self._paths(binder, query)
        self.columns: list[tuple[str, Getter]] = []
        self._parents: dict[str, list[tuple[Path, Getter]]] = {}
        seen: set[str] = set()
        for path in self.paths:
            one, get = binder.field(path)
            if path.text.lower() in seen:
                raise malformed(binder.text, path.place, f"duplicate field selected: {path.text}")
            seen.add(path.text.lower())
            self._place(path, one.name, get)

    def _place(self, path: Path, name: str, get: Getter) -> None:
        names = path.names
        if len(names) > 1 and names[0].lower() == self.entity.name.lower():
            names = names[1:]
        if len(names) == 1:
            self.columns.append((name, get))
        else:
            self._parents.setdefault(names[0], []).append((path, get))

    def _paths(self, binder: Binder, query: Query) -> list[Path]:
        paths: list[Path] = []
        for item in query.select:
            if isinstance(item, Path):
                paths.append(item)
            elif isinstance(item, FieldSet):
                paths += _set_of(binder, query, item)
        return paths

    @property
    def is_keys_only(self) -> bool:
        """Whether only keys and stamps are asked for, as a census does."""
        return not self._parents and {name for name, _ in self.columns} <= {
            "Id",
            "SystemModstamp",
            "LastModifiedDate",
            "IsDeleted",
        }

    def render(self) -> Render:
        """Return what turns a record into what the answer holds of it."""
        name, version = self.entity.name, self.version
        url = f"/services/data/v{version}/sobjects/{name}/"
        columns = self.columns
        parents = self._parents

        def rendered(values: Values) -> dict[str, Any]:
            shown: dict[str, Any] = {"attributes": {"type": name, "url": url + values["Id"]}}
            for column, get in columns:
                shown[column] = get(values)
            for relationship, paths in parents.items():
                shown[relationship] = self._parent(relationship, paths, values)
            return shown

        return rendered

    def _parent(
        self, relationship: str, paths: list[tuple[Path, Getter]], values: Values
    ) -> dict[str, Any] | None:
        reference = self.entity.parent(relationship)
        if reference is None or not values.get(reference.name):
            return None
        kind = reference.reference_to[-1]
        shown: dict[str, Any] = {
            "attributes": attributes(kind, values[reference.name], self.version)
        }
        for path, get in paths:
            _nest(shown, path.names[1:], get(values))
        return shown

    def flat(self) -> list[tuple[str, Getter]]:
        """Return the columns of a CSV answer, parents by their dotted names."""
        dotted = [(path.text, get) for paths in self._parents.values() for path, get in paths]
        return [*self.columns, *dotted]


def _nest(shown: dict[str, Any], names: tuple[str, ...], value: object) -> None:
    for name in names[:-1]:
        shown = shown.setdefault(name, {})
    shown[names[-1]] = value


def _set_of(binder: Binder, query: Query, item: FieldSet) -> list[Path]:
    """Return the fields of FIELDS(...), which the vendor gives for 200 rows at most."""
    if item.kind not in ("ALL", "STANDARD", "CUSTOM"):
        raise malformed(binder.text, query.place, f"unexpected token: '{item.kind}'")
    is_bounded = query.limit is not None and query.limit <= MOST_WITH_ALL_FIELDS
    if item.kind != "STANDARD" and not is_bounded:
        message = "The SOQL FIELDS function must have a LIMIT of at most 200"
        raise malformed(binder.text, query.place, message)
    wanted = {"STANDARD": (False,), "CUSTOM": (True,), "ALL": (False, True)}[item.kind]
    return [
        Path((one.name,), query.place) for one in _fields(binder.entity) if one.is_custom in wanted
    ]


def _fields(entity: Entity) -> list[Any]:
    return list(entity.fields.values())


__all__ = ["Projection", "Render", "attributes", "getter"]
