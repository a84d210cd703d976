"""The one template environment: filters for money and dates, addresses of static files, the macros as `ui`."""

import hashlib
from collections.abc import Hashable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from store import assets
from store.money import currency_name, write, write_difference
from store.settings import ROOT, house


@lru_cache(maxsize=4096)
def static(path: str) -> str:
    """The address of a file under static/, changing with its content so that browsers may keep it for ever."""
    file = ROOT / "static" / path
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
    except OSError:
        return f"/static/{path}"
    return f"/static/{path}?v={digest}"


@lru_cache(maxsize=1024)
def day(moment: datetime | date, locale: str = "en") -> str:
    """A date in words: "25 November 2026"."""
    return format_date(moment, format="d MMMM y", locale=locale)


@lru_cache(maxsize=1024)
def moment(value: datetime, locale: str = "en") -> str:
    """A date with its time (UTC): "25 Nov 2026, 14:05"."""
    return format_datetime(value, format="d MMM y, HH:mm", locale=locale)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The shop's Jinja environment."""
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        # Everything is escaped as HTML but the plain text of mails.
        autoescape=select_autoescape(default=True, default_for_string=True, disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the first option of a binding is its default
    env.filters.update(money=write, signed_money=write_difference, currency_name=currency_name, day=day, moment=moment)
    env.globals.update(house=house(), static=static, vendor_available=assets.vendor_available, fragment=fragment)
    env.globals["ui"] = env.get_template("_ui.html").module
    return env


@lru_cache(maxsize=1024)
def fragment(template: str, macro: str, *values: Hashable) -> Markup:
    """What a macro makes of values that never change, made once: writing it anew costs more than finding it again."""
    made: Markup = getattr(environment().get_template(template).module, macro)(*values)
    return made


def render(template: str, **context: Any) -> str:
    """Render a template by its path under templates/."""
    return environment().get_template(template).render(**context)
