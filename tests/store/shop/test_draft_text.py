"""The text of a draft: where things stand, and rows pasted from a spreadsheet."""

import pytest

from configurator import parse
from store.errors import ShopError
from store.shop import draft_text

TEXT = """\
product: box
name: Box
sentence: A box.
category: boxes
currency: EUR
base: {price: 1000, cost: 400}
groups:
  - id: wood
    label: Wood
    step: Wood
    options:
      - {id: oak, label: Oak, default: true}
      - {id: ash, label: Ash}
  - id: lining
    label: Lining
    step: Lining
    options:
      - {id: felt, label: Felt, default: true}
      - {id: silk, label: Silk}
rules:
  - id: goes
    reason: Silk lies in ash only.
    allow: [wood, lining]
    rows:
      - [oak, felt]  # as ever
      - [ash, any]
prices:
  - {id: work, label: Work, matrix: [wood, lining], rows: [[oak, any, 0], [ash, felt, 100], [ash, silk, 300]]}
# the end
"""


def test_ids_are_found_on_their_lines() -> None:
    lines = draft_text.line_of(TEXT)
    assert (lines["wood"], lines["wood.ash"], lines["goes"], lines["work"]) == (8, 13, 21, 28)
    assert draft_text.line_of("a: [") == {}


def test_tables_are_named_with_their_columns() -> None:
    found = [(rows.id, rows.columns, rows.priced, rows.count) for rows in draft_text.tables_of(TEXT)]
    assert found == [("goes", ("wood", "lining"), False, 2), ("work", ("wood", "lining"), True, 3)]


def test_pasted_rows_take_the_place_of_the_old_ones_and_leave_the_rest_alone() -> None:
    after = draft_text.paste(TEXT, "goes", "lining\twood\nfelt\toak|ash\nsilk\tash\n")
    assert "      - [[oak, ash], felt]\n      - [ash, silk]\nprices:" in after.replace("  # as ever", "")
    assert after.startswith(TEXT[: TEXT.index("      - [oak, felt]")])
    assert after.endswith(TEXT[TEXT.index("prices:") :])
    (model,) = parse(after, "box.yaml")
    assert [rule.id for rule in model.rules] == ["goes"]


def test_rows_of_a_matrix_end_in_an_amount() -> None:
    after = draft_text.paste(TEXT, "work", "oak;any;0\nash;any;12500\n")
    assert "rows: [[oak, any, 0], [ash, any, 12500]]}" in after
    parse(after, "box.yaml")


@pytest.mark.parametrize(
    ("rule", "rows", "said"),
    [
        ("goes", "", "at least one row"),
        ("goes", "oak,felt\nash", "Row 2 has 1 cells; it needs 2"),
        ("goes", "oak,\n", "empty cell"),
        ("goes", "wood,lining\n", "Only the heads"),
        ("work", "oak,any,12.50", "is no amount"),
        ("none", "oak,felt", "has the id 'none'"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_a_sentence(rule: str, rows: str, said: str) -> None:
    with pytest.raises(ShopError) as refusal:
        draft_text.paste(TEXT, rule, rows)
    assert said in refusal.value.detail
