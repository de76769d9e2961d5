"""What Business Central says when it refuses."""

from itertools import count

from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.replies import RefusalError, Reply

_numbers = count(1)


def refused(status: int, code: str, message: str, **headers: str) -> RefusalError:
    """Return a refusal with a code of the vendor's table and an id to ask the support about."""
    correlation = guid("correlation", next(_numbers))
    text = f"{message}  CorrelationId:  {correlation}."
    content = {"error": {"code": code, "message": text}}
    return RefusalError(Reply.of_json(status, content, **headers))


def bad_request(message: str, code: str = "BadRequest") -> RefusalError:
    """Return the refusal of a request that makes no sense."""
    return refused(400, code, message)


def no_segment(name: str) -> RefusalError:
    """Return the refusal of an address that leads nowhere."""
    message = f"Resource not found for the segment '{name}'."
    return refused(404, "BadRequest_ResourceNotFound", message)


def no_property(name: str, kind: str) -> RefusalError:
    """Return the refusal of a property that the type does not have."""
    return bad_request(f"Could not find a property named '{name}' on type 'Microsoft.NAV.{kind}'.")


def no_record(kind: str, key: str) -> RefusalError:
    """Return the refusal of a record that is not there."""
    message = f"The {kind} does not exist. Identification fields and values: SystemId='{key}'"
    return refused(404, "Internal_RecordNotFound", message)
