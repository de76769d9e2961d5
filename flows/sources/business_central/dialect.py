"""How Business Central says that something is wrong."""

import re
from dataclasses import replace
from typing import Any

from flows.sources.http import Action, Answer, CommonDialect, Judgement
from flows.sources.http.answers import FORBIDDEN

PASSING = frozenset({"Internal_TenantUnavailable", "Application_TooManyRequests"})
LOCKED = re.compile(r"locked by another user|deadlock", re.IGNORECASE)
DENIED = re.compile(r"permission|not authori[sz]ed|access is denied", re.IGNORECASE)


class BusinessCentralDialect(CommonDialect):
    """Tells what will pass from what will not; 429 comes without a word on how long to wait."""

    def judge(self, answer: Answer) -> Judgement:
        """Judge by the code in the body, then by the status."""
        common = super().judge(answer)
        code, message = said(answer)
        if answer.is_success or not code:
            return common
        reason = f"HTTP {answer.status} {code}: {message}"
        if code in PASSING or LOCKED.search(message):
            return Judgement(Action.RETRY, reason, code=code)
        is_denied = answer.status == FORBIDDEN or (
            common.action is Action.REFUSE and bool(DENIED.search(message))
        )
        return replace(common, reason=reason, code=code, is_about_permission=is_denied)


def said(answer: Answer) -> tuple[str, str]:
    """Return code and message of an error; the message names the id that support asks for."""
    if answer.is_success or not answer.is_json:
        return "", ""
    body: Any = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")
