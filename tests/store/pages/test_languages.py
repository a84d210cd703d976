"""JSON answers speak the language asked for, where the product's file has it."""

import pytest
from starlette.requests import Request

from configurator import parse
from store.pages.languages import asked, spoken
from store.shop.catalog import Published
from tests.configurator.test_languages import WATCH


def request(header: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept-language", header.encode())]})


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", ()),
        ("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ("fr-CH", "fr", "en", "*")),
        ("de;q=0.2, fr;q=0.7, it;q=0", ("fr", "de")),
        ("en;q=much, fr;q=1", ("en", "fr")),
    ],
)
def test_the_dearest_language_of_the_browser_comes_first(header: str, wanted: tuple[str, ...]) -> None:
    assert asked(request(header)) == wanted


def test_a_language_in_the_address_wins_over_the_browser() -> None:
    assert asked(request("de"), "fr") == ("fr",)


def test_a_product_speaks_the_first_language_that_its_file_has() -> None:
    watch = Published("montre", parse(WATCH, "montre.yaml")[0])
    assert spoken(watch, ("de", "fr-CH", "en")).name == "Montre"
    assert spoken(watch, ("en-GB", "fr")) is watch
    assert spoken(watch, ("ja", "*")) is watch
    french = spoken(watch, ("fr",))
    assert french.version == watch.version
    assert french.compiled.live is watch.compiled.live
