"""What the environment and the house file say: addresses, keys, and the facts of the shop."""

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from store.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class ShippingZone:
    """Countries that share a delivery price; `free_from` waives it (minor units)."""

    countries: frozenset[str]
    price: int
    free_from: int | None


@dataclass(frozen=True)
class OfferRules:
    """How often the house may write with an offer, and what the composer starts from."""

    mails: int
    mail_days: int
    margin_floor_basis_points: int
    valid_days: int


@dataclass(frozen=True)
class House:
    """The facts of the shop that the owner writes in store/house.yaml."""

    name: str
    motto: str
    email: str
    country: str
    currency: str
    vat_basis_points: int
    countries: tuple[tuple[str, str], ...]
    zones: tuple[ShippingZone, ...]
    categories: tuple[tuple[str, str], ...]
    offers: OfferRules
    synthetic: bool

    def country_name(self, code: str) -> str:
        """The name of a country the house delivers to, or its code."""
        return dict(self.countries).get(code, code)


@dataclass(frozen=True)
class Settings:
    """One reading of the environment; pass it on instead of reading `os.environ` elsewhere."""

    data_dir: Path
    database_url: str
    production: bool
    public_url: str
    secret: str
    stripe_api_key: str | None
    stripe_webhook_secret: str | None
    stripe_sandbox_url: str | None
    mail_url: str | None
    demo: bool  # an empty shop becomes the demo house

    @property
    def test_mode(self) -> bool:
        """True while payments go to the built-in sandbox or a Stripe test key."""
        return self.stripe_api_key is None or not self.stripe_api_key.startswith(("sk_live_", "rk_live_"))


def read_settings(environment: dict[str, str] | None = None) -> Settings:
    """Read the settings from the environment (or the mapping given).

    Raises:
        SettingsError: the data directory cannot be written, or production is asked for with unsafe settings.
    """
    env = dict(os.environ) if environment is None else environment
    data_dir = Path(env.get("DATA_DIR") or ROOT / "var").resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / f".write-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or "error"
        raise SettingsError(f"The data directory {data_dir} cannot be written ({reason}). Set DATA_DIR.") from error
    settings = Settings(
        data_dir=data_dir,
        database_url=_database_url(env.get("DATABASE_URL"), data_dir),
        production=env.get("APP_ENV") == "production",
        public_url=(env.get("PUBLIC_URL") or f"http://127.0.0.1:{env.get('PORT') or 8000}").rstrip("/"),
        secret=env.get("SECRET_KEY") or _kept_secret(data_dir),
        stripe_api_key=env.get("STRIPE_API_KEY") or None,
        stripe_webhook_secret=env.get("STRIPE_WEBHOOK_SECRET") or None,
        stripe_sandbox_url=env.get("STRIPE_SANDBOX_URL") or None,
        mail_url=env.get("MAIL_URL") or None,
        demo=env.get("DEMO") != "off" and env.get("APP_ENV") != "production",
    )
    _refuse_unsafe_production(settings, env)
    return settings


def _refuse_unsafe_production(settings: Settings, env: dict[str, str]) -> None:
    if settings.stripe_api_key and not settings.stripe_webhook_secret:
        raise SettingsError("STRIPE_API_KEY is set without STRIPE_WEBHOOK_SECRET; payments could not be confirmed.")
    if not settings.production:
        return
    missing = [name for name in ("STRIPE_API_KEY", "MAIL_URL", "SECRET_KEY", "PUBLIC_URL") if not env.get(name)]
    if missing:
        raise SettingsError(f"APP_ENV=production needs {', '.join(missing)}; the sandbox is refused there.")
    if not settings.public_url.startswith("https://"):
        raise SettingsError("APP_ENV=production needs a PUBLIC_URL beginning with https:// (cookies are secure only).")


def _database_url(url: str | None, data_dir: Path) -> str:
    if not url:
        return f"sqlite:///{data_dir / 'atelier.db'}"
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _kept_secret(data_dir: Path) -> str:
    """The signing key of this data directory, made once; safe when several workers start together."""
    path = data_dir / "secret.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


@lru_cache
def house() -> House:
    """The house file, read once."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "store" / "house.yaml").read_text(encoding="utf-8"))
    return House(
        name=raw["name"],
        motto=raw["motto"],
        email=raw["email"],
        country=raw["country"],
        currency=raw["currency"],
        vat_basis_points=raw["vat_basis_points"],
        countries=tuple(raw["countries"].items()),
        zones=tuple(
            ShippingZone(frozenset(zone["countries"]), zone["price"], zone.get("free_from")) for zone in raw["shipping"]
        ),
        categories=tuple(raw["categories"].items()),
        offers=OfferRules(**raw["offers"]),
        synthetic=raw["synthetic"],
    )
