"""The HTTP face of an org."""

from urllib.parse import parse_qsl

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import Response

from flows.sandbox.vendors.salesforce import (
    bulk,
    collections,
    composite,
    describing,
    ingest,
    reading,
    replication,
    rows,
    writing,
)
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import answer
from flows.sandbox.vendors.salesforce.sessions import Sessions
from flows.sandbox.vendors.shared.encoding import client_of
from flows.sandbox.vendors.shared.replies import RefusalError, Reply, compressed
from flows.sandbox.vendors.shared.requests import Request

LONGEST_URL = 16_384
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
# Importing these registers what they answer.
ANSWERING = (
    bulk,
    collections,
    composite,
    describing,
    ingest,
    reading,
    replication,
    rows,
    writing,
)


def application(org: Org, sessions: Sessions) -> FastAPI:
    """Return the application that speaks for an org."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/services/oauth2/token")
    async def token(http: HttpRequest) -> Response:
        named = client_of(http.headers.get("authorization", ""))
        form = named | dict(parse_qsl((await http.body()).decode()))
        return _sent(_granted(sessions, form, _base(http)))

    @app.get("/services/data")
    @app.get("/services/data/")
    async def versions() -> list[dict[str, str]]:
        return describing.versions()

    @app.api_route("/services/data/v{version}", methods=METHODS)
    @app.api_route("/services/data/v{version}/{path:path}", methods=METHODS)
    async def rest(http: HttpRequest, version: str, path: str = "") -> Response:
        if len(str(http.url)) > LONGEST_URL:
            return Response(b"<html><body>URI Too Long</body></html>", 414, media_type="text/html")
        org.store.settle()
        request = Request(
            http.method,
            path,
            dict(http.query_params),
            dict(http.headers),
            await http.body(),
            version,
            _base(http),
        )
        reply = answer(org, sessions, request)
        if org.rules.is_compressing:
            reply = compressed(reply, request.headers.get("accept-encoding", ""))
        return _sent(reply)

    return app


def _granted(sessions: Sessions, form: dict[str, str], url: str) -> Reply:
    try:
        return sessions.grant(form, url)
    except RefusalError as refusal:
        return refusal.reply


def _base(http: HttpRequest) -> str:
    return str(http.base_url).rstrip("/")


def _sent(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))
