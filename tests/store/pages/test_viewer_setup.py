"""What the page hands to the 3D viewer: the bindings as their file has them, first options first."""

import json
import re

import pytest

from store.settings import ROOT
from tests.browsers import PageBrowser

SETUP = re.compile(r'<script type="application/json" id="viewer-setup">(.*?)</script>', re.DOTALL)


@pytest.mark.parametrize(("slug", "bindings"), [("meridien", "watch"), ("voyageur", "trunk")])
def test_the_first_option_of_every_binding_stays_the_first(visitor: PageBrowser, slug: str, bindings: str) -> None:
    visitor.get(f"/products/{slug}")
    found = SETUP.search(visitor.page)
    assert found
    handed = json.loads(found[1])["bindings"]
    written = json.loads((ROOT / "static" / "models" / f"{bindings}_bindings.json").read_text())
    # An option drawn by default stands first: in another order the watch hung in its window without a strap.
    assert {group: list(options) for group, options in handed.items()} == {
        group: list(options) for group, options in written.items()
    }
