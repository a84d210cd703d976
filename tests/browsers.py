"""A browser without JavaScript: keeps cookies, reads pages, sends the forms it finds on them."""

import re
from html import unescape
from typing import Any, Self

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

TOKEN = re.compile(r'name="csrf"\s+value="([^"]+)"')
ORIGIN = "http://testserver"


class PageBrowser:
    """One person's browser at the shop; requests do not follow redirects unless asked to."""

    def __init__(self, app: FastAPI) -> None:
        self._client = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        self.page = ""  # the last HTML page read

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.__exit__(*error)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it holds."""
        return dict(self._client.cookies)

    def get(self, url: str, *, follow: bool = True, headers: dict[str, str] | None = None) -> Response:
        """Open a page."""
        return self._kept(self._client.get(url, follow_redirects=follow, headers=headers))

    def submit(
        self, url: str, data: dict[str, Any] | None = None, *, follow: bool = True, csrf: str | None = None
    ) -> Response:
        """Send a form of the last page (its token is taken from there) as a browser of our own origin does."""
        fields = {"csrf": self.token() if csrf is None else csrf, **(data or {})}
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        return self._kept(self._client.post(url, data=fields, headers=headers, follow_redirects=follow))

    def attach(self, url: str, data: dict[str, Any], files: dict[str, bytes]) -> Response:
        """Send a form of the last page with files, by field."""
        fields = {"csrf": self.token(), **data}
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        posted = {field: ("picture", content) for field, content in files.items()}
        return self._kept(self._client.post(url, data=fields, files=posted, headers=headers, follow_redirects=True))

    def token(self) -> str:
        """The form token on the last page; a fresh one from the home page when there is none."""
        found = TOKEN.search(self.page)
        if found is None:
            self.get("/")
            found = TOKEN.search(self.page)
        assert found, "the page carries no form token"
        return found[1]

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Response:
        """A JSON call, as a script or another program makes it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, url, json=body, headers=named)

    def call_with_file(self, url: str, field: str, content: bytes) -> Response:
        """A JSON call that brings a file."""
        return self._client.post(url, files={field: ("picture", content)})

    def deliver(self, url: str, body: bytes, **headers: str) -> Response:
        """A body sent as it is, by another machine (a webhook)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.post(url, content=body, headers=named)

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> Response:
        """A raw body, as somebody with bad manners sends it."""
        return self._client.post(url, content=body, headers=headers)

    def text(self) -> str:
        """The words of the last page, without tags, in single spaces."""
        without = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.page, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(without)).strip()

    def _kept(self, response: Response) -> Response:
        if response.headers.get("content-type", "").startswith("text/html"):
            self.page = response.text
        return response
