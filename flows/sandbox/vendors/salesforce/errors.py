"""What Salesforce says when it refuses."""

from flows.sandbox.vendors.shared.replies import RefusalError, Reply


def refused(
    status: int, code: str, message: str, fields: list[str] | None = None, **headers: str
) -> RefusalError:
    """Return a refusal in the shape of the REST API: an array with one error."""
    error: dict[str, object] = {"message": message, "errorCode": code}
    if fields is not None:
        error["fields"] = fields
    return RefusalError(Reply.of_json(status, [error], **headers))


def not_found(message: str = "The requested resource does not exist") -> RefusalError:
    """Return the refusal of what is not there."""
    return refused(404, "NOT_FOUND", message)


def grant_refused(error: str, description: str | None = None) -> RefusalError:
    """Return a refusal in the shape of the OAuth endpoint."""
    content = {"error": error}
    if description:
        content["error_description"] = description
    return RefusalError(Reply.of_json(400, content))


def no_such_column(name: str, entity: str, where: str = "") -> RefusalError:
    """Return the refusal of a field that does not exist, or that the user may not see."""
    message = (
        f"{where}No such column '{name}' on entity '{entity}'. If you are attempting to use a "
        "custom field, be sure to append the '__c' after the custom field name. Please reference "
        "your WSDL or the describe call for the appropriate names."
    )
    return refused(400, "INVALID_FIELD", message)


def no_such_type(name: str, where: str = "") -> RefusalError:
    """Return the refusal of a query on an object that does not exist."""
    message = (
        f"{where}sObject type '{name}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
        "the describe call for the appropriate names."
    )
    return refused(400, "INVALID_TYPE", message)
