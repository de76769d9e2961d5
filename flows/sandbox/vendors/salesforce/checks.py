"""What the org checks before it writes: the fields, their types, keys and references."""

from typing import Any

from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.ids import is_id, long_id
from flows.sandbox.vendors.salesforce.org import INTEGRATION_USER, Org
from flows.sandbox.vendors.salesforce.schema import NUMBERS, RESTRICTED, TEXTS, Entity, Field
from flows.sandbox.vendors.salesforce.values import moment_of, moment_text
from flows.sandbox.vendors.shared.replies import RefusalError
from flows.sandbox.vendors.shared.store import Record

Given = dict[str, Any]
BEYOND = frozenset(("Profile", "UserRole", "Campaign", "Contract", "Individual", "Group",
                    "BusinessHours", "Entitlement", "CallCenter"))  # fmt: skip


def created_values(org: Org, entity: Entity, given: Given) -> Given:
    """Return the values of a record to be, or refuse them."""
    values = _checked(org, entity, given, None)
    missing = [one.name for one in entity.fields.values() if _is_missing(one, values)]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise refused(400, "REQUIRED_FIELD_MISSING", message, missing)
    if "OwnerId" in entity.fields:
        values.setdefault("OwnerId", INTEGRATION_USER)
    return values | _derived(entity, values)


def changed_values(org: Org, entity: Entity, record: Record, given: Given) -> Given:
    """Return the values that a change brings, or refuse them."""
    values = _checked(org, entity, given, record.key)
    cleared = [name for name, value in values.items() if value is None]
    missing = [name for name in cleared if entity.fields[name].has("required")]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise refused(400, "REQUIRED_FIELD_MISSING", message, missing)
    if entity.name == "OrderItem":
        _check_is_draft(org, {**record.values, **values})
    return values | _derived(entity, {**record.values, **values})


def _is_missing(one: Field, values: Given) -> bool:
    return one.has("required") and values.get(one.name) in (None, "")


def _derived(entity: Entity, values: Given) -> Given:
    """Return what the org works out by itself."""
    if entity.name in ("Contact", "Lead", "User"):
        names = (values.get("FirstName"), values.get("LastName"))
        return {"Name": " ".join(str(name) for name in names if name)}
    return {}


def _checked(org: Org, entity: Entity, given: Given, key: str | None) -> Given:
    fields = [(_known(entity, name), value) for name, value in given.items()]
    locked = [one.name for one, _ in fields if one.has("readonly")]
    if locked:
        message = (
            f"Unable to create/update fields: {', '.join(locked)}. Please check the security "
            "settings of this field and verify that it is read/write for your profile or "
            "permission set."
        )
        raise refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, locked)
    return {one.name: _value(org, entity, one, value, key) for one, value in fields}


def _known(entity: Entity, name: str) -> Field:
    one = entity.find(name)
    if one is None:
        message = f"No such column '{name}' on sobject of type {entity.name}"
        raise refused(400, "INVALID_FIELD", message)
    return one


def _value(org: Org, entity: Entity, one: Field, value: Any, key: str | None) -> Any:  # noqa: ANN401
    """Return a value as the record will hold it."""
    if value is None or value == "":
        return None
    if one.type == "reference":
        return _reference(org, one, value)
    if one.type in TEXTS:
        _check_text(org, entity, one, value, key)
        return value
    return _converted(one, value)


def _converted(one: Field, value: Any) -> Any:  # noqa: ANN401 - as it was sent
    try:
        if one.type in NUMBERS and not isinstance(value, bool):
            return float(value) if one.type != "int" else int(value)
        if one.type == "datetime":
            return moment_text(moment_of(value))
        if one.type == "date":
            return moment_of(f"{value}T00:00:00+00:00").date().isoformat()
        if one.type == "boolean" and isinstance(value, bool):
            return value
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable(one, value) from error
    raise _unreadable(one, value)


def _unreadable(one: Field, value: object) -> RefusalError:
    message = f"Cannot deserialize instance of {one.type} from value {value}"
    return refused(400, "JSON_PARSER_ERROR", message)


def _check_text(org: Org, entity: Entity, one: Field, value: Any, key: str | None) -> None:  # noqa: ANN401
    if not isinstance(value, str):
        raise _unreadable(one, value)
    if len(value) > one.length:
        message = f"{one.name}: data value too large: {value} (max length={one.length})"
        raise refused(400, "STRING_TOO_LONG", message, [one.name])
    allowed = RESTRICTED.get((entity.name, one.name))
    if allowed and value not in allowed:
        message = f"{one.name}: bad value for restricted picklist field: {value}"
        code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        raise refused(400, code, message, [one.name])
    if one.has("external"):
        _check_unique(org, entity, one, value, key)


def _check_unique(org: Org, entity: Entity, one: Field, value: str, key: str | None) -> None:
    for record in org.store[entity.name].by(one.name).get(value, []):
        if record.key != key:
            message = (
                f"duplicate value found: {one.name} duplicates value on record with id: "
                f"{record.key}"
            )
            raise refused(400, "DUPLICATE_VALUE", message, [])


def _reference(org: Org, one: Field, value: Any) -> str:  # noqa: ANN401 - as it was sent
    if not isinstance(value, str) or not is_id(value):
        message = f"{one.name}: id value of incorrect type: {value}"
        raise refused(400, "MALFORMED_ID", message, [one.name])
    key = long_id(value)
    is_there = any(
        kind in BEYOND or ((record := org.record(kind, key)) and not record.is_deleted)
        for kind in one.reference_to
    )
    if not is_there:
        message = "invalid cross reference id"
        raise refused(400, "INVALID_CROSS_REFERENCE_KEY", message, [])
    return key


def _check_is_draft(org: Org, values: Given) -> None:
    """Refuse to change the lines of an order that is activated."""
    order = org.values("Order", str(values.get("OrderId"))) or {}
    if order.get("StatusCode") == "Activated":
        message = "unable to modify the order product: the order is activated"
        raise refused(400, "FIELD_INTEGRITY_EXCEPTION", message, [])
