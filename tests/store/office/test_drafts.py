"""Drafts of products: kept, looked over with lines, previewed exactly, published once, and never lost."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlmodel import col, select

from store import db, people
from store.crm import impact
from store.errors import ShopError
from store.events import Event, Visitor
from store.shop import catalog, designs, publishing
from store.shop.catalog import PublishedModel
from tests.browsers import PageBrowser

SLUG = "meridien"
PAGE = f"/office/products/{SLUG}/draft"


def source() -> str:
    with db.transaction(read_only=True) as session:
        return catalog.source_of(session, catalog.published(session, SLUG).version)


def version() -> str:
    with db.transaction(read_only=True) as session:
        catalog.refresh(session)
        return catalog.published(session, SLUG).version


def kept(browser: PageBrowser) -> str:
    found = re.search(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', browser.page, re.DOTALL)
    assert found
    return unescape(found[1])


def dearer(text: str) -> str:
    price = re.search(r"base: \{price: (\d+)", text)
    assert price
    return text.replace(price[0], f"base: {{price: {int(price[1]) + 5000}")


def test_only_owners_write_drafts(as_role: Callable[[str], PageBrowser]) -> None:
    advisor = as_role("advisor")
    assert advisor.get(PAGE).status_code == 403
    advisor.get("/office")
    assert advisor.submit(PAGE, {"text": "x"}, follow=False).status_code == 403


def test_a_draft_is_kept_and_changes_nothing_until_it_is_published(owner: PageBrowser) -> None:
    before, text = version(), dearer(source())
    owner.get(PAGE)
    owner.submit(PAGE, {"text": text, "act": "save"})
    assert kept(owner).strip() == text.strip()
    assert version() == before
    owner.get(f"{PAGE}/impact")
    owner.submit(f"{PAGE}/publication", {})
    after = version()
    assert after != before
    with db.transaction(read_only=True) as session:
        row = session.get_one(PublishedModel, after)
        assert row.published_by
        assert session.get_one(PublishedModel, before).current is False
        actions = session.exec(select(Event).where(Event.kind == "staff-action", Event.product == SLUG)).all()
        assert [(event.staff_id, event.facts["before"]) for event in actions] == [(row.published_by, before)]
        assert publishing.drafts_of(session, SLUG) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda text: text.replace("currency: EUR", "currncy: EUR", 1), "currncy"),
        (lambda text: text.replace(f"product: {SLUG}", "product: other", 1), "must stay"),
        (lambda text: text + "\n---\n" + text.replace(SLUG, "second"), "holds 2"),
        (lambda _: "a: [", ""),
        (lambda _: "", ""),
    ],
)
def test_a_wrong_draft_is_kept_names_its_line_and_is_never_published(
    owner: PageBrowser, wrong: Callable[[str], str], said: str
) -> None:
    before, text = version(), wrong(source())
    owner.get(PAGE)
    owner.submit(PAGE, {"text": text, "act": "save"})
    assert said in owner.text()
    assert re.search(r'<td class="number">\d+</td>', owner.page)
    assert kept(owner).strip() == text.strip()
    owner.submit(f"{PAGE}/publication", {}, follow=False)
    assert "cannot be published yet" in owner.text()
    assert kept(owner).strip() == text.strip()
    assert version() == before


def test_the_second_of_two_editors_gets_a_sentence_and_keeps_the_text(as_role: Callable[[str], PageBrowser]) -> None:
    first = as_role("owner")
    with db.transaction() as session:
        staff = Visitor(staff_id=people.new_staff(session, "Second", "second@example.com", "owner").id, role="owner")
        draft = publishing.begin(session, staff, SLUG)
        publishing.write(session, draft, source().replace("margin_days: 14", "margin_days: 15"))
        mine = draft.source_text
    first.get(PAGE)
    first.submit(PAGE, {"text": dearer(source()), "act": "save"})
    first.submit(f"{PAGE}/publication", {})
    sold = version()
    with db.transaction() as session:
        again = publishing.draft_of(session, staff, SLUG)
        assert again is not None
        assert publishing.is_behind(session, again)
    with pytest.raises(ShopError, match="Another version went on sale"):
        _publish(staff)
    assert version() == sold
    with db.transaction() as session:
        again = publishing.draft_of(session, staff, SLUG)
        assert again is not None
        assert again.source_text == mine
        publishing.rebase(session, again)
        publishing.publish(session, staff, again)
    assert version() != sold


def _publish(staff: Visitor) -> None:
    with db.transaction() as session:
        draft = publishing.draft_of(session, staff, SLUG)
        assert draft is not None
        publishing.publish(session, staff, draft)


def test_pasted_rows_replace_those_of_a_table_and_wrong_ones_are_refused(owner: PageBrowser) -> None:
    text = source()
    owner.get(PAGE)
    tables = re.findall(r'<option value="([^"]+)">[^<]*: ([^<(]+) \(\d+ rows\)', owner.page)
    if not tables:
        pytest.fail("the watch has a table to paste into")
    rule, columns = tables[0]
    wide = len(columns.split(","))
    owner.submit(PAGE, {"text": text, "act": "rows", "rule": rule, "rows": ",".join("x" * (wide + 1))}, follow=False)
    assert f"it needs {wide}" in owner.text()
    assert kept(owner).strip() == text.strip()


def test_the_preview_equals_what_happens(owner: PageBrowser) -> None:
    saved = {}
    with db.transaction() as session:
        item = catalog.published(session, SLUG)
        group = next(g for g in item.model.groups if g.kind == "one" and len(g.options) > 2)
        option = [o for o in group.options if not o.default and not o.audience][-1]
        for number, choices in enumerate(({}, {group.id: option.id}, {group.id: group.options[0].id})):
            design = designs.save(session, Visitor(session_id=f"ses_{number}"), SLUG, choices, {})
            saved[design.id] = design.code
        text = source()
    retired = re.sub(rf"\{{id: {option.id}, ", f"{{id: {option.id}, retired: true, ", text, count=1)
    assert retired != text
    owner.get(PAGE)
    owner.submit(PAGE, {"text": dearer(retired), "act": "save"})
    owner.get(f"{PAGE}/impact")
    assert f"{option.label} is no longer made;" in owner.text()
    with db.transaction(read_only=True) as session:
        draft = publishing.drafts_of(session, SLUG)[0]
        looked = publishing.look_over(draft)
        assert looked.published
        found = impact.of_publishing(session, looked.published)
        foretold = {one.design.id: (one.words, one.price_after) for one in found.touched}
    assert set(saved) <= set(foretold)
    owner.submit(f"{PAGE}/publication", {})
    with db.transaction(read_only=True) as session:
        catalog.refresh(session)
        rows = session.exec(select(designs.Design).where(col(designs.Design.id).in_(list(foretold)))).all()
        happened = {row.id: (now.changes, now.price) for row in rows if (now := designs.renewed(session, row))}
    assert happened == foretold
