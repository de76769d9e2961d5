"""How Salesforce says that something is wrong."""

import re
from dataclasses import replace
from typing import Any

from flows.sources.http import Action, Answer, CommonDialect, Judgement, Usage
from flows.sources.http.answers import FORBIDDEN, UNAUTHORISED

USAGE = re.compile(r"(?:^|[;,]\s*)api-usage=(\d+)/(\d+)")
# A new session would be refused in the same words: asking for one again and again would not end.
NO_SESSION_HELPS = (
    "Connected app is not attached to Agent",
    "This session is not valid for use with the REST API",
)
CONCURRENT_WAIT = 5.0
PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})
OUT_OF_CALLS = frozenset({"REQUEST_LIMIT_EXCEEDED"})


class SalesforceDialect(CommonDialect):
    """Tells a full day from a busy moment, and an ended session from a user without rights."""

    def judge(self, answer: Answer) -> Judgement:
        """Judge by the code in the body before the status."""
        code, message = _said(answer)
        common = super().judge(answer)
        if answer.is_success or not code:
            return common
        reason = f"HTTP {answer.status} {code}: {message}"
        if code in OUT_OF_CALLS:
            return _out_of_calls(reason)
        if code in PASSING:
            return Judgement(Action.RETRY, reason, code=code)
        if answer.status == UNAUTHORISED and any(said in message for said in NO_SESSION_HELPS):
            return Judgement(Action.REFUSE, reason, is_about_permission=True, code=code)
        is_denied = answer.status == FORBIDDEN or code.startswith("INSUFFICIENT_ACCESS")
        return replace(common, reason=reason, code=code, is_about_permission=is_denied)

    def usage(self, answer: Answer) -> Usage | None:
        """Return the calls of the day that the organisation has used, where it says so."""
        found = USAGE.search(answer.headers.get("Sforce-Limit-Info", ""))
        return Usage(int(found[1]), int(found[2])) if found else None


def _out_of_calls(reason: str) -> Judgement:
    if "concurrent" in reason.lower():
        return Judgement(Action.RETRY, reason, CONCURRENT_WAIT)
    return Judgement(Action.STOP_FOR_QUOTA, reason)


def _said(answer: Answer) -> tuple[str, str]:
    """Return code and message of an error, from a list of errors or from a sign-in."""
    if answer.is_success or not answer.is_json:
        return "", ""
    body: Any = answer.json()
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    message = first.get("message") or first.get("error_description") or ""
    return str(code), str(message)
