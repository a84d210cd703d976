"""Pictures that customers give with a piece: taken from page and JSON, kept with the design, seen by nobody else."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlmodel import select

from configurator import parse
from store import auth, db, privacy
from store.events import NOBODY
from store.shop import catalog, uploads
from store.shop.uploads import Upload
from tests.browsers import PageBrowser
from tests.store import selling
from tests.store.office.conftest import enter
from tests.store.pages.door import account, count, staff
from tests.store.pages.test_checkout_pages import order_form, the_order

CREST = """\
  - id: crest
    label: Your crest
    sentence: Painted on the back.
    upload: {}
"""
PICTURES = selling.WATCH.replace("rules:\n", f"{CREST}rules:\n").replace(
    "prices:\n", "prices:\n  - {id: crest, when: {crest: true}, add: 60000, cost: 20000, label: Your crest}\n"
)
POSITION = 34853  # the part of a photograph's notes that tells where it was taken
BROKEN = "This file is no picture that we can read. A PNG, JPEG or WebP, please."
TOO_LARGE = "This picture is too large. Up to 5 MB and 40 million pixels, please."


@pytest.fixture
def house(counter: FastAPI) -> Iterator[FastAPI]:
    """The small house; its watch takes a picture."""
    (model,) = parse(PICTURES, "watch.yaml")
    auth.forget_limits()
    with db.transaction() as session:
        catalog.publish(session, model, NOBODY)
        catalog.refresh(session)
    yield counter
    auth.forget_limits()


@pytest.fixture
def office(house: FastAPI, light_hashes: None) -> Iterator[PageBrowser]:
    """The owner's browser."""
    with PageBrowser(house) as browser:
        enter(house, browser, staff_id=staff())
        yield browser


def png(size: tuple[int, int] = (40, 30), colour: str = "navy") -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", size, colour).save(made, "PNG")
    return made.getvalue()


def photograph() -> bytes:
    """Taken lying on its side, with a position in its notes."""
    made = io.BytesIO()
    picture = Image.new("RGB", (60, 20), "teal")
    notes = picture.getexif()
    notes[0x0112] = 6
    notes.get_ifd(POSITION)[1] = "N"
    picture.save(made, "JPEG", exif=notes)
    return made.getvalue()


def address_in(page: str) -> str:
    found = re.search(r'src="(/uploads/upl_\w+)"', page)
    assert found, "the page shows no picture"
    return found[1]


def give(browser: PageBrowser, file: bytes) -> None:
    browser.get("/products/watch")
    browser.attach("/products/watch", {"act": "texts"}, {"file:crest": file})


def test_a_picture_is_taken_shown_and_priced_without_script(house: FastAPI, buyer: PageBrowser) -> None:
    buyer.get("/products/watch")
    assert 'enctype="multipart/form-data"' in buyer.page
    assert "+€600" in buyer.text()
    give(buyer, png())
    assert "€10,400" in buyer.text()
    seen = buyer.get(address_in(buyer.page))
    assert seen.headers["content-type"] == "image/png"
    assert seen.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert Image.open(io.BytesIO(seen.content)).size == (40, 30)
    buyer.get("/products/watch")
    buyer.submit("/products/watch", {"choose": "crest:"})
    assert "€9,800" in buyer.text()
    buyer.submit("/products/watch", {"act": "undo"})
    assert "€10,400" in buyer.text()


def test_other_forms_of_the_piece_carry_no_file_and_stay_as_they_were(house: FastAPI, buyer: PageBrowser) -> None:
    give(buyer, png())
    buyer.attach("/products/watch", {"choose": "case:gold"}, {"file:crest": b""})
    assert address_in(buyer.page)
    assert count(Upload) == 1


def test_the_notes_of_a_photograph_are_not_kept(house: FastAPI, buyer: PageBrowser) -> None:
    assert POSITION in Image.open(io.BytesIO(photograph())).getexif()
    give(buyer, photograph())
    kept = Image.open(io.BytesIO(buyer.get(address_in(buyer.page)).content))
    assert kept.format == "JPEG"
    assert kept.size == (20, 60)
    assert not kept.getexif()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", BROKEN),
        (b"%PDF-1.7", BROKEN),
        (png()[:60], BROKEN),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, BROKEN),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", BROKEN),
        (png() + b"\0" * uploads.LONGEST, TOO_LARGE),
        (png((8000, 5001)), TOO_LARGE),
        (png((20_000, 20_000)), TOO_LARGE),
    ],
    ids=["svg", "pdf", "cut off", "zeros", "gif", "many bytes", "many pixels", "a bomb"],
)
def test_what_is_no_picture_is_refused_beside_the_field_and_nothing_is_lost(
    house: FastAPI, buyer: PageBrowser, file: bytes, sentence: str
) -> None:
    buyer.get("/products/watch")
    buyer.submit("/products/watch", {"choose": "case:gold"})
    answer = buyer.attach("/products/watch", {"act": "texts"}, {"file:crest": file})
    assert answer.status_code == 422
    assert sentence in buyer.text()
    assert count(Upload) == 0
    buyer.get("/products/watch")
    assert 'id="o-case-gold" aria-pressed="true"' in buyer.page


def test_a_body_beyond_every_picture_is_refused_while_it_arrives(house: FastAPI, buyer: PageBrowser) -> None:
    buyer.get("/products/watch")
    assert buyer.attach("/products/watch", {}, {"file:crest": b"\0" * 6_100_000}).status_code == 413
    assert count(Upload) == 0


def test_nobody_else_sees_a_picture_or_uses_it(house: FastAPI, buyer: PageBrowser, stranger: PageBrowser) -> None:
    give(buyer, png())
    address = address_in(buyer.page)
    wish: dict[str, Any] = {"slug": "watch", "choices": {"crest": address.removeprefix("/uploads/")}, "texts": {}}
    assert stranger.get(address).status_code == 404
    refused = stranger.call("POST", "/api/designs", wish)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "This picture is not one of yours; please add it again."
    assert refused.json()["field"] == "crest"
    saved = buyer.call("POST", "/api/designs", wish).json()
    assert saved["price"]["amount"] == 1_040_000
    seen = stranger.call("GET", f"/api/designs/{saved['code']}").json()
    assert seen["choices"] == {}
    assert seen["price"]["amount"] == 980_000
    assert "upl_" not in str(seen)
    stranger.submit(f"/designs/{saved['code']}/copy", {})
    assert "upl_" not in stranger.page
    assert buyer.call("GET", f"/api/designs/{saved['code']}").json()["choices"] == wish["choices"]


def test_the_same_file_again_is_the_same_picture(house: FastAPI, buyer: PageBrowser) -> None:
    answers = [buyer.call_with_file("/api/uploads", "file", png()).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["url"] == f"/uploads/{answers[0]['id']}"
    assert count(Upload) == 1
    assert buyer.call_with_file("/api/uploads", "file", b"words").status_code == 422


def test_too_many_pictures_in_an_hour_wait(house: FastAPI, buyer: PageBrowser) -> None:
    buyer.get("/")
    for shade in range(30):
        assert buyer.call_with_file("/api/uploads", "file", png(colour=f"rgb(0,0,{shade})")).status_code == 201
    assert buyer.call_with_file("/api/uploads", "file", png(colour="white")).status_code == 429
    assert count(Upload) == 30


def test_the_workshop_sees_the_picture_of_an_order_and_it_is_a_final_sale(
    house: FastAPI, buyer: PageBrowser, office: PageBrowser
) -> None:
    give(buyer, png())
    address = address_in(buyer.page)
    buyer.submit("/products/watch", {"act": "bag"})
    buyer.get("/checkout")
    assert "Final sale. Your Watch with your picture is made for you alone and cannot be returned." in buyer.text()
    buyer.submit("/checkout", order_form(buyer), follow=False)
    order = the_order()
    assert order.subtotal == 1_040_000
    buyer.get(f"/orders/{order.number}")
    assert f'href="{address}"' in buyer.page
    assert "final sale" in buyer.text()
    office.get(f"/office/orders/{order.number}")
    assert f'href="{address}"' in office.page
    assert office.get(address).status_code == 200


def test_a_picture_is_hers_after_signing_in_and_goes_with_the_account(
    house: FastAPI, light_hashes: None, buyer: PageBrowser
) -> None:
    give(buyer, png())
    address = address_in(buyer.page)
    camille = account()
    with db.transaction() as session:
        owner = session.exec(select(Upload.session_id)).one()
        assert owner
        assert privacy.adopt(session, owner, camille)["upload"] == [address.removeprefix("/uploads/")]
        (row,) = privacy.export(session, camille)["tables"]["upload"]["rows"]
        assert row["media_type"] == "image/png"
        assert "content" not in row
    assert buyer.get(address).status_code == 404  # this browser has not signed in as her
    with db.transaction() as session:
        privacy.erase(session, camille)
    assert count(Upload) == 0


def test_a_picture_that_no_design_holds_leaves_after_a_month(house: FastAPI, buyer: PageBrowser) -> None:
    kept, left = (buyer.call_with_file("/api/uploads", "file", png(colour=c)).json()["id"] for c in ("red", "blue"))
    buyer.call("POST", "/api/designs", {"slug": "watch", "choices": {"crest": kept}, "texts": {}})
    camille = account()
    with db.transaction() as session:
        for row in session.exec(select(Upload)):
            row.customer_id = camille
            row.created_at -= timedelta(days=31)
            session.add(row)
    with db.transaction() as session:
        assert privacy.expire(session)["upload"] == 1
        assert [row.id for row in session.exec(select(Upload))] == [kept]
        assert left != kept
