"""Plain ASGI middleware: security headers with a nonce, the session cookie, a limit on bodies."""

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store import metrics
from store.auth import SESSION_LIFE
from store.settings import Settings
from store.web import SESSION_COOKIE

LONGEST_BODY = 1_000_000  # bytes
LONGEST_UPLOAD = 6_000_000  # of a form that may bring a picture
TAKE_PICTURES = ("/products/", "/api/uploads")
STATIC_LIFE = "public, max-age=31536000, immutable"


class Shell:
    """Wraps every HTTP answer of the shop."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._counts = settings.metrics_token is not None
        self._secure = settings.public_url.startswith("https://")
        pay_page = "https://checkout.stripe.com" if settings.stripe_api_key else _origin(settings.stripe_sandbox_url)
        self._form_action = f"'self' {pay_page}".strip()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["nonce"] = secrets.token_urlsafe(12)

        began = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(scope, state, MutableHeaders(scope=message))
                if self._counts:
                    route = getattr(scope.get("route"), "path", "other")
                    metrics.note_request(scope["method"], route, message["status"], began)
            await send(message)

        await self._app(scope, _limited(scope, receive), send_with_headers)

    def _add_headers(self, scope: Scope, state: dict[str, Any], headers: MutableHeaders) -> None:
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        if scope["path"].startswith("/static/"):
            if b"v=" in scope.get("query_string", b""):
                headers["Cache-Control"] = STATIC_LIFE
            return
        # A page that shows foreign markup (a mail) brings a policy of its own.
        headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'nonce-{state['nonce']}'; style-src 'self'; "
            "img-src 'self' data: blob:; connect-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
            f"base-uri 'none'; frame-ancestors 'none'; form-action {self._form_action}",
        )
        if self._secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if token := state.get("set_session_token"):
            secure = "; Secure" if self._secure else ""
            life = int(SESSION_LIFE.total_seconds())
            cookie = f"{SESSION_COOKIE}={token}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}"
            headers.append("Set-Cookie", cookie)


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Reads a body up to the limit; a longer one is refused while it arrives, as a page or a problem like any other."""
    headers = dict(scope["headers"])
    form = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    longest = LONGEST_UPLOAD if form and scope["path"].startswith(TAKE_PICTURES) else LONGEST_BODY
    announced = headers.get(b"content-length", b"0")
    read = int(announced) if announced.isdigit() and int(announced) > longest else 0

    async def receive_limited() -> Message:
        nonlocal read
        if read <= longest:
            message = await receive()
            read += len(message.get("body", b""))
        if read > longest:
            raise HTTPException(413)
        return message

    return receive_limited


def _origin(url: str | None) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
