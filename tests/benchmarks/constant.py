"""The comparison: a FastAPI app that renders one constant Jinja page of the size asked for, and nothing else."""

import os

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, Environment

SIZE = int(os.environ.get("PAGE_BYTES", "20000"))
ROW = "<p>Grained calf in deep navy, changed by hand in seconds.</p>\n"
PAGE = "<!doctype html><title>{{ title }}</title>\n" + ROW * (SIZE // len(ROW))

templates = Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True, auto_reload=False)
app = FastAPI(openapi_url=None)


@app.get("/")
def page() -> HTMLResponse:
    """The constant page."""
    return HTMLResponse(templates.get_template("page.html").render(title="constant"))
