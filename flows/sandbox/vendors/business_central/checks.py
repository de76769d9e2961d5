"""What is checked before anything is written: the version, the properties, their types."""

from typing import Any

from flows.sandbox.vendors.business_central.errors import bad_request, refused
from flows.sandbox.vendors.business_central.rendering import etag
from flows.sandbox.vendors.business_central.schema import EntitySet, Property
from flows.sandbox.vendors.business_central.tenant import Values
from flows.sandbox.vendors.shared.keys import is_guid
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("customers", "blocked"): ("_x0020_", " ", "Ship", "Invoice", "All"),
    ("customers", "type"): ("Company", "Person"),
    ("contacts", "type"): ("Company", "Person"),
    ("items", "type"): ("Inventory", "Service", "Non_x002D_Inventory"),
}
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "decimal": (int, float),
    "int": (int,),
}


def check_version(request: Request, record: Record) -> None:
    """Refuse to write over a version that the caller does not know."""
    given = request.headers.get("if-match", "")
    if given != "*" and not given.startswith('W/"'):
        message = (
            "Could not validate the client concurrency token required by the service. Please "
            "provide a valid token in the client request."
        )
        raise bad_request(message, "BadRequest_InvalidToken")
    if given not in ("*", etag(record)):
        message = "Another user has already changed the record."
        raise refused(409, "Request_EntityChanged", message)


def checked(entity: EntitySet, given: Values) -> Values:
    """Return the values that were sent, or refuse what the properties do not allow."""
    return {name: _value(entity, name, value) for name, value in given.items()}


def _value(entity: EntitySet, name: str, value: Any) -> Any:  # noqa: ANN401 - as it was sent
    one = entity.properties.get(name)
    if one is None:
        message = (
            f"The property '{name}' does not exist on type 'Microsoft.NAV.{entity.kind}'. Make "
            "sure to only use property names that are defined by the type."
        )
        raise bad_request(message)
    if "readonly" in one.flags:
        raise bad_request(f"Control '{name}' is read-only", "BadRequest_InvalidOperation")
    _check_type(one, value)
    _check_choice(entity, one, value)
    if isinstance(value, str) and one.type == "string" and len(value) > one.length:
        message = (
            f"The length of the string is {len(value)}, but it must be less than or equal to "
            f"{one.length} characters. Value: {value}"
        )
        raise bad_request(message, "Application_StringExceededLength")
    return value.upper() if "code" in one.flags and isinstance(value, str) else value


def _check_choice(entity: EntitySet, one: Property, value: Any) -> None:  # noqa: ANN401
    """Refuse a choice that there is not."""
    allowed = CHOICES.get((entity.name, one.name))
    if allowed and value not in allowed:
        message = f'The value "{value}" cannot be evaluated into type Option.'
        raise bad_request(message, "Application_EvaluateException")


def _check_type(one: Property, value: Any) -> None:  # noqa: ANN401 - as it was sent
    allowed = JSON_TYPES.get(one.type, (str,))
    if value is None and one.type in JSON_TYPES:
        message = f"Field '{one.name}' must not be blank or empty."
        raise bad_request(message, "BadRequest_RequiredParamNotProvided")
    is_number_as_flag = isinstance(value, bool) and bool not in allowed
    if value is not None and (not isinstance(value, allowed) or is_number_as_flag):
        raise bad_request(
            f"Cannot convert the literal '{value}' to the expected type '{one.type}'."
        )
    if one.type == "guid" and value is not None and not is_guid(str(value)):
        raise bad_request("Invalid format of GUID string.", "Application_InvalidGUID")
