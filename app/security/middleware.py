"""What stands in front of the whole server: who may ask, how much, how often, and what an answer lets a browser do.

Pure ASGI, so that it holds for the REST routes, the page, its API and the MCP server alike. One concern a middleware,
each in a file of its own. Nothing of a request is logged.
"""

from secure.middleware import SecureASGIMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.security.authentication import AuthenticationMiddleware
from app.security.body_budget import BodyBudgetMiddleware
from app.security.compression import CompressionMiddleware
from app.security.csrf import CrossOriginMiddleware
from app.security.error_handling import ErrorHandlingMiddleware
from app.security.headers import ContentPolicyMiddleware, ResponseHeadersMiddleware, security_headers
from app.security.hosts import HostMiddleware
from app.security.json_limits import JSONLimitMiddleware
from app.security.preflight import PreflightMiddleware
from app.security.rate_limit import RateLimitMiddleware
from app.security.routes import RouteMiddleware, RoutePathMiddleware
from app.security.settings import Settings
from app.security.timeouts import BodyTimeoutMiddleware


def protect(app: ASGIApp, settings: Settings) -> ASGIApp:
    """A server behind its protection; a request passes what is built last first.

    Args:
        app: everything that is served.
        settings: see `Settings.from_env`.
    """
    app = ResponseHeadersMiddleware(app, locked=bool(settings.user))
    app = JSONLimitMiddleware(app)
    app = BodyBudgetMiddleware(app, settings.max_body)
    app = BodyTimeoutMiddleware(app)
    app = RouteMiddleware(app)
    app = AuthenticationMiddleware(app, settings)
    app = RateLimitMiddleware(app, settings)
    app = CrossOriginMiddleware(app, settings.origins)
    app = HostMiddleware(app, settings)
    app = ErrorHandlingMiddleware(app)
    app = CORSMiddleware(
        app,
        allow_origins=settings.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        allow_credentials=True,
        expose_headers=("Retry-After",),
    )
    app = PreflightMiddleware(app, settings.origins)
    app = ContentPolicyMiddleware(app, settings.frame_ancestors)
    app = CompressionMiddleware(app)
    app = RoutePathMiddleware(app, settings.root_path)
    # its annotations name messages less exactly than Starlette's do
    return SecureASGIMiddleware(app, secure=security_headers())  # type: ignore[return-value]
