"""Files that are too large, too deep or too costly are refused with what to change, never in Python's words."""

import pytest

from configurator import ModelError, compile_model, parse

HEAD = "product: p\nname: P\ncategory: c\ncurrency: EUR\nbase: {price: 1}\n"


def options(number: int) -> str:
    return ", ".join(f"{{id: o{n}, label: O, attributes: {{w: {3**n if n < 9 else n}}}}}" for n in range(number))


def parts(most: int, groups: str) -> str:
    return f"{HEAD}groups:\n  - id: s\n    label: S\n    repeated: {{min: 1, max: {most}}}\n    groups: [{groups}]\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + f"sentence: {'x' * 4_000_001}\n", "split it into several products"),
        (HEAD + f"attributes: {'[' * 30}{']' * 30}\n", "nested deeper than 24 levels"),
        (HEAD + f"attributes: {'[' * 5000}{']' * 5000}\n", "maximum nesting depth"),
        (HEAD + "base: {price: 1}\n", "the key 'base' stands twice"),
        (HEAD + "sentence: !!python/object:os.system x\n", "tags are not part of the language"),
        (HEAD + "sentence: &a x\n", "anchors and aliases"),
        (HEAD + "rounding: 9999999999999999999\n", "is too large"),
        (HEAD + "groups: {a: b}\n", "'groups' must be a list"),
        (HEAD + "groups: [a]\n", "must be a mapping"),
        (HEAD + "groups:\n  - {id: n, label: N, integer: {min: 0, max: 1001}}\n", "take a larger step"),
        (parts(50, ", ".join(f"{{id: g{n}, label: G, flag: {{}}}}" for n in range(41))), "lower `max` of its parts"),
        (parts(50, f"{{id: g, label: G, options: [{options(1201)}]}}"), "lower `max` of repeated parts"),
        (
            parts(50, f"{{id: g, label: G, options: [{options(90)}]}}").replace(
                "groups: [", "rules: [{id: d, distinct: g, reason: R}]\n    groups: ["
            ),
            "take fewer parts",
        ),
    ],
    ids=lambda value: value[-40:] if len(value) > 40 else value,
)
def test_what_is_too_much_says_what_to_change(text: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(text, "p.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("p.yaml:")
    assert not any(word in str(caught.value) for word in ("Traceback", "NoneType", "dict", "<class", "pydantic"))


def test_a_sum_that_reaches_too_many_totals_is_refused_at_compile_time_with_its_line() -> None:
    groups = "".join(f"  - {{id: g{n}, label: G, options: [{options(9)}]}}\n" for n in range(6))
    terms = ", ".join(f"{{of: g{n}.w, times: {7**n}}}" for n in range(6))
    model = parse(f"{HEAD}groups:\n{groups}rules:\n  - {{id: r, sum: [{terms}], at_most: 9, reason: R}}\n", "p.yaml")[0]
    with pytest.raises(ModelError, match=r"p\.yaml:14: rule 'r' reaches more than 4000 sums; take larger steps"):
        compile_model(model)
