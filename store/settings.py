"""What the environment and the house file say: addresses, keys, and the facts of the shop."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from store.currencies import PriceList, read_currencies
from store.errors import SettingsError
from store.vat import STANDARD, VatRules, read_vat

VAT_REGISTER = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"
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
class PlanPart:
    """One part of a payment plan; `due` is "now", "ready" or the name of a milestone of the making.

    Args:
        share: of the order's total, in basis points.
        when: when it is asked for, as the customer reads it.
        days: at the latest so many days after the order, if the plan says so.
    """

    label: str
    share: int
    due: str
    when: str = ""
    days: int | None = None


@dataclass(frozen=True)
class PaymentPlan:
    """How an order with a piece of these categories may be paid in parts, from a total on (minor units).

    With `always` it is how such an order is paid; otherwise the customer chooses between it and paying at once.
    """

    id: str
    label: str
    categories: frozenset[str]
    from_total: int
    parts: tuple[PlanPart, ...]
    always: bool = False


@dataclass(frozen=True)
class BankAccount:
    """Where transfers go; `offered_from` is the amount from which a transfer is offered beside the card.

    Args:
        hold_days: how long an order waits for a transfer that no card could carry.
    """

    holder: str
    iban: str
    bic: str
    bank: str
    offered_from: int
    hold_days: int


@dataclass(frozen=True)
class Seller:
    """Who stands on invoices and credit notes, as the law wants a seller named."""

    name: str
    address: tuple[str, ...]
    vat_id: str
    registration: str


@dataclass(frozen=True)
class InvoiceRules:
    """How invoices and credit notes are numbered, and how many whole years they are kept after their own.

    Args:
        invoice: the number's form, from `{year}` and `{position}`, which begins at 1 each year.
        credit_note: the same for credit notes, which count for themselves.
    """

    invoice: str
    credit_note: str
    keep_years: int


@dataclass(frozen=True)
class House:
    """The facts of the shop that the owner writes in store/house.yaml."""

    name: str
    motto: str
    email: str
    country: str
    currency: str
    vat: VatRules
    currencies: Mapping[str, PriceList]  # the house's own first
    countries: tuple[tuple[str, str], ...]
    zones: tuple[ShippingZone, ...]
    categories: tuple[tuple[str, str], ...]
    offers: OfferRules
    plans: tuple[PaymentPlan, ...]
    account: BankAccount
    seller: Seller
    invoices: InvoiceRules
    design_valid_days: int
    synthetic: bool

    def country_name(self, code: str) -> str:
        """The name of a country the house delivers to, or its code."""
        return dict(self.countries).get(code, code)

    @property
    def vat_basis_points(self) -> int:
        """The usual rate at home."""
        return self.vat.home_rates[STANDARD]


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
    metrics_token: str | None = None  # who may read /metrics; nobody without it
    vat_register_url: str | None = None  # where VAT IDs are checked; nowhere in test mode

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
        metrics_token=env.get("METRICS_TOKEN") or None,
        vat_register_url=_vat_register(env),
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


def _vat_register(env: dict[str, str]) -> str | None:
    """The Union's register in production; in test mode none, or one of our own on this machine."""
    url = env.get("VAT_REGISTER_URL") or None
    if env.get("APP_ENV") == "production":
        return url or VAT_REGISTER
    if url and urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SettingsError("VAT_REGISTER_URL must be on this machine outside production: real IDs are not for tests.")
    return url


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
        vat=read_vat(raw.get("vat"), raw["country"], raw["countries"], raw["categories"]),
        countries=tuple(raw["countries"].items()),
        currencies=read_currencies(raw.get("currencies"), raw["currency"]),
        zones=tuple(
            ShippingZone(frozenset(zone["countries"]), zone["price"], zone.get("free_from")) for zone in raw["shipping"]
        ),
        categories=tuple(raw["categories"].items()),
        offers=OfferRules(**raw["offers"]),
        plans=tuple(_plan(plan_id, plan) for plan_id, plan in raw["payment_plans"].items()),
        account=BankAccount(**raw["bank_account"]),
        seller=Seller(**{**raw["seller"], "address": tuple(raw["seller"]["address"])}),
        invoices=_invoice_rules(raw["invoices"]),
        design_valid_days=raw["design_valid_days"],
        synthetic=raw["synthetic"],
    )


def _invoice_rules(raw: dict[str, Any]) -> InvoiceRules:
    """How invoices are numbered; two series whose numbers could be the same stop the start.

    Raises:
        SettingsError: saying what is wrong.
    """
    rules = InvoiceRules(**raw)
    forms = (rules.invoice, rules.credit_note)
    if any("{year}" not in form or "{position" not in form for form in forms) or len(set(forms)) < len(forms):
        raise SettingsError(
            "house.yaml: invoices and credit notes need numbers of their own with {year} and {position}."
        )
    return rules


def _plan(plan_id: str, raw: dict[str, Any]) -> PaymentPlan:
    """A plan of the house file; one that does not add up, or asks for nothing now, stops the start.

    Raises:
        SettingsError: naming the plan and what is wrong with it.
    """
    parts = tuple(PlanPart(**part) for part in raw["parts"])
    if sum(part.share for part in parts) != 10_000 or any(part.share <= 0 for part in parts):
        raise SettingsError(f"house.yaml: the shares of the payment plan {plan_id} must add up to 10000.")
    if [part.due for part in parts].count("now") != 1 or parts[0].due != "now":
        raise SettingsError(f"house.yaml: the first part of the payment plan {plan_id}, and no other, is due now.")
    return PaymentPlan(
        plan_id, raw["label"], frozenset(raw["categories"]), raw["from"], parts, raw.get("always", False)
    )
