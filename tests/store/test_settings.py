"""Settings: what is missing or unsafe is one sentence before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from store.errors import SettingsError
from store.settings import read_settings
from store.vat import read_vat

SAFE = {
    "APP_ENV": "production",
    "STRIPE_API_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "MAIL_URL": "smtp://localhost:25",
    "SECRET_KEY": "x" * 40,
    "PUBLIC_URL": "https://aurele.example",
}


def test_an_unwritable_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"data directory .*file/var cannot be written .* Set DATA_DIR"):
        read_settings({"DATA_DIR": str(tmp_path / "file" / "var")})


@pytest.mark.parametrize("missing", ["STRIPE_API_KEY", "MAIL_URL", "SECRET_KEY", "PUBLIC_URL"])
def test_production_refuses_what_is_for_development_only(tmp_path: Path, missing: str) -> None:
    environment = {**SAFE, "DATA_DIR": str(tmp_path)}
    del environment[missing]
    with pytest.raises(SettingsError, match=missing):
        read_settings(environment)


def test_production_refuses_cookies_over_plain_http(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="https://"):
        read_settings({**SAFE, "DATA_DIR": str(tmp_path), "PUBLIC_URL": "http://aurele.example"})


def test_a_stripe_key_without_its_webhook_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STRIPE_WEBHOOK_SECRET"):
        read_settings({"DATA_DIR": str(tmp_path), "STRIPE_API_KEY": "sk_test_x"})


def test_a_safe_production_is_no_test_mode_and_grows_no_demo_house(tmp_path: Path) -> None:
    settings = read_settings({**SAFE, "DATA_DIR": str(tmp_path)})
    assert (settings.production, settings.test_mode, settings.demo) == (True, False, False)


def test_the_signing_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = read_settings({"DATA_DIR": str(tmp_path)}).secret
    assert read_settings({"DATA_DIR": str(tmp_path)}).secret == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("given", ["postgres://h/d", "postgresql://h/d"])
def test_a_plain_postgresql_address_gets_the_driver_of_the_shop(tmp_path: Path, given: str) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path), "DATABASE_URL": given})
    assert settings.database_url == "postgresql+psycopg://h/d"


RATES = {"FR": {"standard": 2000, "reduced": 550}, "DE": {"standard": 1900, "reduced": 700}}
VAT: dict[str, Any] = {
    "prices": "keep_gross",
    "rates": RATES,
    "notes": {"reverse-charge": "Reverse charge", "export": "Export"},
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"prices": "net"}, "house.yaml: vat.prices must be keep_gross or keep_net, not 'net'."),
        ({"rate": 1}, "house.yaml: vat knows no `rate`."),
        ({"rates": {"DE": RATES["DE"]}}, "house.yaml: vat.rates must name the rates of the house's own country, FR."),
        (
            {"rates": {**RATES, "DE": {"standard": 1900}}},
            "house.yaml: vat.rates.DE must name the categories of the house's own country: reduced, standard.",
        ),
        (
            {"rates": {**RATES, "DE": {"standard": 19.0, "reduced": 700}}},
            "house.yaml: vat.rates.DE.standard must be basis points from 0 to 9999, not 19.0.",
        ),
        (
            {"rates": {**RATES, "DE": 1900}},
            "house.yaml: vat.rates.DE must be rates in basis points, such as {standard: 2000, reduced: 550}.",
        ),
        (
            {"categories": {"gifts": "lowest"}},
            "house.yaml: vat.categories.gifts: 'lowest' is none of reduced, standard.",
        ),
        ({"at_home": ["cruises"]}, "house.yaml: vat: the house has no category 'cruises'."),
        ({"notes": {"export": "Export"}}, "house.yaml: vat.notes must say what an invoice says for reverse-charge."),
        ({"territories": [{"name": "x"}]}, "house.yaml: vat.territories: each needs name, country and postal_codes."),
        (
            {"territories": [{"name": "Åland", "country": "FI", "postal_codes": ["22"]}]},
            "house.yaml: vat.territories, Åland: the house does not deliver to 'FI'.",
        ),
        (
            {"territories": [{"name": "Helgoland", "country": "DE", "postal_codes": [27498]}]},
            "house.yaml: vat.territories, Helgoland: postal_codes must be a list of beginnings in quotes, such as "
            '["35", "38"].',
        ),
    ],
)
def test_a_mistake_in_the_tax_facts_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    read_vat(VAT, "FR", {"FR": "France", "DE": "Germany"}, {"gifts": "Gifts"})
    with pytest.raises(SettingsError) as refusal:
        read_vat({**VAT, **changed}, "FR", {"FR": "France", "DE": "Germany"}, {"gifts": "Gifts"})
    assert str(refusal.value) == sentence
