"""The HTTP face of a tenant."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import Response

from flows.sandbox.vendors.business_central.requests import answer
from flows.sandbox.vendors.business_central.sessions import Sessions, discovery, unknown_directory
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.encoding import client_of
from flows.sandbox.vendors.shared.replies import Reply, compressed
from flows.sandbox.vendors.shared.requests import Request

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
API = "/api/v2.0"


def application(tenant: Tenant, sessions: Sessions) -> FastAPI:
    """Return the application that speaks for a tenant."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/{directory}/oauth2/v2.0/token")
    async def token(http: HttpRequest, directory: str) -> Response:
        if directory not in (tenant.name, "common", "organizations"):
            return _sent(unknown_directory(directory))
        named = client_of(http.headers.get("authorization", ""))
        return _sent(sessions.grant(named | dict(parse_qsl((await http.body()).decode()))))

    @app.get("/{directory}/v2.0/.well-known/openid-configuration")
    async def configuration(directory: str) -> dict[str, Any]:
        return discovery(directory)

    @app.api_route("/v2.0/{environment}" + API + "{path:path}", methods=METHODS)
    async def short(http: HttpRequest, environment: str, path: str) -> Response:
        return await _answered(http, f"/v2.0/{environment}{API}", path)

    @app.api_route("/v2.0/{directory}/{environment}" + API + "{path:path}", methods=METHODS)
    async def whole(http: HttpRequest, directory: str, environment: str, path: str) -> Response:
        return await _answered(http, f"/v2.0/{directory}/{environment}{API}", path)

    async def _answered(http: HttpRequest, root: str, path: str) -> Response:
        tenant.store.settle()
        request = Request(
            http.method,
            path.strip("/"),
            dict(http.query_params),
            dict(http.headers),
            await http.body(),
            url=_base(http) + root,
        )
        reply = answer(tenant, sessions, request)
        if tenant.rules.is_compressing:
            reply = compressed(reply, request.headers.get("accept-encoding", ""))
        return _sent(reply)

    return app


def _base(http: HttpRequest) -> str:
    return str(http.base_url).rstrip("/")


def _sent(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))
