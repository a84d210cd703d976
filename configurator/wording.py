"""Says in words what a design is: rows for a snapshot, a sentence for a picture, and the hash that identifies it."""

import hashlib
import json
from dataclasses import dataclass

from configurator.choices import check_texts, completion_of, decode
from configurator.compile import Compiled
from configurator.model import Answers, ChoiceValue, OptionGroup, Texts
from configurator.vocabulary import spoken


@dataclass(frozen=True, slots=True)
class Described:
    """One row of a description; `default` when the customer left it to us."""

    group: str
    group_label: str
    value_label: str
    default: bool


def describe(c: Compiled, choices: Answers, texts: Texts | None = None) -> tuple[Described, ...]:
    """Every answer of the default completion in words, in group order; texts that apply included.

    A private group is named only where something of it was chosen, by somebody who knew it.

    Raises:
        Unsatisfiable: no valid design has these choices.
    """
    values = decode(c, completion_of(c, choices), choices)
    words = check_texts(c, choices, texts or {})
    rows = []
    for group in c.model.groups:
        if group.id in words:
            rows.append(Described(group.id, group.label, f"“{words[group.id]}”", False))
        elif group.id in values and (not group.audience or group.id in choices):
            label = value_label(group, values[group.id])
            rows.append(Described(group.id, group.label, label, group.id not in choices))
    return tuple(rows)


def value_label(group: OptionGroup, value: ChoiceValue) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return spoken("yes" if value else "no", group.language)
    if isinstance(value, list):
        names = [option.label for option in group.options if option.id in value]
        return ", ".join(names) or spoken("none", group.language)
    if isinstance(value, int):
        return f"{value} {group.unit}".strip()
    if group.kind == "upload":
        return spoken("file", group.language)
    option = group.option(value)
    return option.label if option else value


def sentence(c: Compiled, choices: Answers, texts: Texts | None = None) -> str:
    """The design in one line, from the phrases that the groups bring ("{value} dial"), else from the labels.

    A phrase that starts with "in", "with" or "on" is joined to the one before it.
    """
    rows = describe(c, choices, texts)
    phrases = {group.id: group.phrase for group in c.model.groups if group.phrase}
    numbers = {group.id for group in c.model.groups if group.kind in ("integer", "several", "flag", "upload")}
    nothing = {spoken(word, c.model.language) for word in ("no", "none")}
    parts: list[str] = []
    for row in rows:
        if phrases:
            if row.group not in phrases or row.value_label in nothing:
                continue
            phrase = phrases[row.group].replace("{value}", _lower(row.value_label))
        else:
            phrase = f"{row.group_label}: {row.value_label}" if row.group in numbers else _lower(row.value_label)
        if parts and phrase.startswith(("in ", "with ", "on ")):
            parts[-1] += f" {phrase}"
        else:
            parts.append(phrase)
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}" if text else c.model.name


def _lower(label: str) -> str:
    first = label.split(" ")[0]
    return label if len(first) < 2 or not first[1:].islower() else label[:1].lower() + label[1:]


def design_hash(c: Compiled, choices: Answers, texts: Texts | None = None) -> str:
    """The same for every way to ask for the same piece: product, completed configuration and texts that apply.

    Raises:
        Unsatisfiable: no valid design has these choices.
        TextError: a text that the model does not take.
    """
    facts = {
        "product": c.model.slug,
        "design": decode(c, completion_of(c, choices), choices),
        "texts": check_texts(c, choices, texts or {}),
    }
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
