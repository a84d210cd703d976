"""A product file may say its texts in several languages; every answer can be had in each, and falls back."""

import pytest

from configurator import (
    Conflict,
    ModelError,
    analyse,
    compile_model,
    describe,
    design_hash,
    differences,
    explain,
    parse,
    price,
    sentence,
)

WATCH = """product: montre
name: {en: Watch, fr: Montre}
sentence: {en: Made once., fr: Faite une fois.}
category: timepieces
currency: EUR
base: {price: 1000}
groups:
  - id: dial
    label: {en: Dial, fr: Cadran, pt-BR: Mostrador}
    phrase: {en: "{value} dial", fr: "cadran {value}"}
    options:
      - {id: blue, label: {en: Blue, fr: Bleu}, default: true}
      - {id: red, label: Red, price: 5, sentence: {en: Warm., fr: Chaud.}}
  - {id: date, label: Date, phrase: "{value}", flag: {price: 7}}
  - id: straps
    label: {en: Straps, fr: Bracelets}
    integer: {min: 0, max: 2, unit: {en: straps, fr: bracelets}}
  - {id: extras, label: Extras, several: {at_most: 1}, options: [{id: box, label: {en: Box, fr: Coffret}}]}
  - id: stops
    label: {en: Stops, fr: Étapes}
    repeated: {min: 1, max: 2, label: {en: "Stop {number}", fr: "Étape {number}"}}
    groups: [{id: place, label: {en: Place, fr: Lieu}, options: [{id: nice, label: Nice}]}]
rules:
  - {id: warm, never: {dial: red, date: true}, reason: {en: Too much., fr: C'est trop.}}
prices:
  - {id: more, each_of: straps, add: 3, label: {en: More straps, fr: Autres bracelets}}
presets:
  - {id: one, label: {en: One, fr: Un}, choices: {dial: red}}
"""
PLAIN = compile_model(parse(WATCH, "montre.yaml")[0])
FRENCH = PLAIN.in_language("fr")


def test_everything_that_is_shown_stands_in_the_language_asked_for() -> None:
    assert (FRENCH.model.name, FRENCH.model.sentence) == ("Montre", "Faite une fois.")
    rows = [(row.group_label, row.value_label) for row in describe(FRENCH, {"straps": 1})]
    assert rows == [
        ("Cadran", "Bleu"),
        ("Date", "Non"),
        ("Bracelets", "1 bracelets"),
        ("Extras", "Aucun"),
        ("Étapes", "1"),
        ("Étape 1 · Lieu", "Nice"),
    ]
    lines = price(FRENCH, {"straps": 2, "dial": "red"}).lines
    assert [(line.label, line.amount) for line in lines] == [
        ("Montre", 1000),
        ("Cadran: Red", 5),
        ("Autres bracelets", 6),
    ]
    assert sentence(FRENCH, {}) == "Cadran bleu"
    assert sentence(FRENCH, {"date": True}) == "Cadran bleu, oui"
    assert [preset.label for preset in FRENCH.model.presets] == ["Un"]


def test_reasons_are_told_in_the_language_asked_for_whichever_was_asked_first() -> None:
    for first, second in ((PLAIN, FRENCH), (FRENCH, PLAIN)):
        for c in (first, second):
            (rule,) = explain(c, {"dial": "red"}, {"date": True}).rules
            conflict = analyse(c, {"dial": "red", "date": True})
            assert isinstance(conflict, Conflict)
            assert rule.reason == conflict.rules[0].reason == ("C'est trop." if c is FRENCH else "Too much.")


def test_a_language_changes_words_only() -> None:
    assert FRENCH.model.version == PLAIN.model.version
    assert FRENCH.live is PLAIN.live
    assert design_hash(FRENCH, {"dial": "red"}) == design_hash(PLAIN, {"dial": "red"})
    assert differences(FRENCH, {}) == differences(PLAIN, {})
    assert analyse(FRENCH, {}) == analyse(PLAIN, {})


def test_what_does_not_stand_in_a_language_falls_back_to_english() -> None:
    assert PLAIN.model.languages == ("en", "fr", "pt-BR")
    brazilian = PLAIN.in_language("pt-BR")
    assert [(row.group_label, row.value_label) for row in describe(brazilian, {})][:2] == [
        ("Mostrador", "Blue"),
        ("Date", "Não"),
    ]
    assert PLAIN.in_language("ja") is PLAIN
    assert PLAIN.in_language("en") is PLAIN
    assert FRENCH.model.group("dial") is not None


def test_a_version_keeps_its_languages_as_a_row() -> None:
    again = compile_model(type(PLAIN.model).from_json(PLAIN.model.to_json()))
    assert again.in_language("fr").model.name == "Montre"
    assert again.model.version == PLAIN.model.version


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            "name: {en: Watch, fr: Montre}",
            "name: {english: Watch}",
            2,
            "'english' is no language such as en, fr or pt-BR",
        ),
        ("name: {en: Watch, fr: Montre}", "name: {}", 2, "'name' must name a text for each language"),
        ("name: {en: Watch, fr: Montre}", "name: {en: [Watch]}", 2, "'name' must name a text for each language"),
        ("reason: {en: Too much., fr: C'est trop.}", "reason: {en: true}", 24, "'reason' must name a text for each"),
    ],
)
def test_what_is_no_language_is_refused(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(WATCH.replace(old, new), "montre.yaml")
    assert f"montre.yaml:{line}: " in str(caught.value)
    assert says in str(caught.value)
