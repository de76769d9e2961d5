"""The machinery of every source behind HTTP; a connector adds a dialect, a sign-in and its paths.

How a connector is made of it:

* `HttpClient.read(Request(...), parse)` asks; give it the vendor's `Dialect` (built on
  `CommonDialect`, which knows what all vendors share), a `Meter`, `Secrets` and `Tokens`.
  Reading is retried by what the answer says; a write that is not `is_repeatable` never is when its
  outcome is unknown.
* `json_page(answer, "value")` cuts a page into rows as they were sent; a page that is not complete
  is asked for again by the client.
* `PageGuard` ends walks that lead nowhere. Links of the server go into `Request.url` verbatim.
* The connector yields `flows.sources.windows.Page`s; landing commits each with its state.
"""

from flows.sources.http.answers import Action, Answer, CommonDialect, Dialect, Judgement
from flows.sources.http.client import HttpClient, Request
from flows.sources.http.guards import PageGuard
from flows.sources.http.json_pages import JsonPage, json_page
from flows.sources.http.links import next_url
from flows.sources.http.quota import Meter, Usage
from flows.sources.http.redaction import Secrets
from flows.sources.http.tokens import Token, Tokens
from flows.sources.http.waiting import Patience, retry_after

__all__ = [
    "Action",
    "Answer",
    "CommonDialect",
    "Dialect",
    "HttpClient",
    "JsonPage",
    "Judgement",
    "Meter",
    "PageGuard",
    "Patience",
    "Request",
    "Secrets",
    "Token",
    "Tokens",
    "Usage",
    "json_page",
    "next_url",
    "retry_after",
]
