"""Reads one group of a product file: the kinds of question and their options."""

import datetime as dt

from configurator.cursor import Cursor
from configurator.language import OF_PARTS
from configurator.model import GroupKind, Option, OptionGroup
from configurator.spans import WEEKDAYS
from configurator.vocabulary import spoken
from configurator.yaml_tree import Node

MAX_NUMBERS = 1000
RESERVED = frozenset({"all", "any", "not", "none", "base", "options", "subtotal"})
_FORMS: tuple[GroupKind, ...] = ("several", "flag", "integer", "date", "text", "upload")


def read_group(item: Cursor) -> OptionGroup:
    """One group, apart from the condition under which it applies (read once all groups are known)."""
    group_id = item.text("id")
    if group_id in RESERVED:
        raise item.refuse(f"{group_id!r} is a word of the language and cannot name a group", item.items["id"])
    forms = [form for form in _FORMS if item.has(form)]
    if len(forms) > 1:
        raise item.refuse(f"{item.where} is both {forms[0]} and {forms[1]}; choose one", item.items[forms[1]])
    stray = [name for name in OF_PARTS if item.has(name)]
    if stray:
        raise item.refuse(f"{item.where}: {stray[0]!r} goes with `repeated`", item.items[stray[0]])
    kind: GroupKind = forms[0] if forms else "one"
    if item.has("options") != (kind in ("one", "several")):
        raise item.refuse(
            f"{item.where} needs options" if kind in ("one", "several") else f"{item.where}: {kind} takes no options"
        )
    label = item.text("label")
    step, sentence, renamed = item.text("step", label), item.text("sentence"), item.texts("renamed_from")
    phrase = item.text("phrase")
    plain = OptionGroup(group_id, label, step, kind, sentence, renamed_from=renamed, phrase=phrase)
    plain = _with(plain, language=item.tongue.language, audience=item.text("audience") or None)
    group = _FORM_READERS[kind](item, plain)
    if group.audience:
        _check_private(item, group)
    return group


def _check_private(item: Cursor, group: OptionGroup) -> None:
    """What everyone else gets of a private group must be there, and cost nothing."""
    where = item.items["audience"]
    if group.kind == "several" and (group.minimum or group.default):
        raise item.refuse(f"{item.where} has an audience: everyone else chooses nothing, so at_least must be 0", where)
    if group.kind == "flag" and group.default:
        raise item.refuse(f"{item.where} has an audience: its default must be no, which everyone else gets", where)
    if group.kind == "one":
        usual = group.option(str(group.default)) if group.default else None
        if usual is None or usual.price or usual.lead_days or usual.audience:
            wanted = "a default that everyone else gets, without price and days"
            raise item.refuse(f"{item.where} has an audience and needs {wanted}", where)


def _with(group: OptionGroup, **changes: object) -> OptionGroup:
    fields = {name: getattr(group, name) for name in OptionGroup.__slots__}
    return OptionGroup(**{**fields, **changes})


def _one(item: Cursor, plain: OptionGroup) -> OptionGroup:
    options = _options(item)
    defaults = [option.id for option in options if option.default]
    if len(defaults) > 1:
        raise item.refuse(f"{item.where} has two defaults: {defaults[0]!r} and {defaults[1]!r}")
    return _with(plain, options=options, default=defaults[0] if defaults else None)


def _several(item: Cursor, plain: OptionGroup) -> OptionGroup:
    options = _options(item)
    form = item.inner("several")
    low, high = form.integer("at_least", 0, low=0), form.integer("at_most", len(options), low=0)
    if low > min(high, len(options)):
        raise form.refuse(f"{item.where}: at_least {low} cannot be reached with at most {min(high, len(options))}")
    default = [option.id for option in options if option.default]
    return _with(plain, options=options, minimum=low, maximum=high, default=sorted(default))


def _flag(item: Cursor, plain: OptionGroup) -> OptionGroup:
    form = item.inner("flag")
    yes = Option(
        id="true",
        label=spoken("yes", plain.language),
        price=form.integer("price"),
        cost=form.integer("cost"),
        lead_days=form.integer("lead_days", low=0),
        attributes=form.scalars("attributes"),
        default=form.boolean("default"),
    )
    return _with(plain, options=(yes, Option(id="false", label=spoken("no", plain.language))), default=yes.default)


def _integer(item: Cursor, plain: OptionGroup) -> OptionGroup:
    form = item.inner("integer")
    low, high, step = form.integer("min"), form.integer("max"), form.integer("step", 1, low=1)
    numbers = range(low, high + 1, step)
    if not numbers:
        raise form.refuse(f"{item.where}: max {high} lies below min {low}")
    if len(numbers) > MAX_NUMBERS:
        raise form.refuse(f"{item.where} has {len(numbers):,} numbers, more than {MAX_NUMBERS}; take a larger step")
    default = form.integer("default", low)
    if default not in numbers:
        raise form.refuse(f"{item.where}: default {default} is not one of its numbers", form.items["default"])
    return _with(plain, minimum=low, maximum=numbers[-1], number_step=step, unit=form.text("unit"), default=default)


def _date(item: Cursor, plain: OptionGroup) -> OptionGroup:
    form = item.inner("date")
    first, last = read_day(form, form.items["from"]), read_day(form, form.items["to"])
    if (last - first).days >= MAX_NUMBERS:
        raise form.refuse(f"{item.where} spans more than {MAX_NUMBERS} days; take a shorter season")
    weekdays = form.texts("weekdays")
    unknown = [day for day in weekdays if day not in WEEKDAYS]
    if unknown:
        raise form.refuse(f"{item.where}: {unknown[0]!r} is no weekday; known: {', '.join(WEEKDAYS)}")
    taken = _taken_days(form)
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    open_days = [d for d in days if d not in taken and (not weekdays or WEEKDAYS[d.weekday()] in weekdays)]
    if not open_days:
        raise form.refuse(f"{item.where} leaves no day open")
    dates = tuple(day.isoformat() for day in open_days)
    default = form.text("default", dates[0])
    if default not in dates:
        raise form.refuse(f"{item.where}: default {default} is not an open day", form.items["default"])
    return _with(plain, dates=dates, default=default)


def _taken_days(form: Cursor) -> set[dt.date]:
    taken: set[dt.date] = set()
    for node in form.each("except"):
        if isinstance(node.value, dict):
            if set(node.value) != {"from", "to"}:
                raise form.refuse(f"{form.where}: a span needs from and to", node)
            first, last = read_day(form, node.value["from"]), read_day(form, node.value["to"])
            taken.update(first + dt.timedelta(days=n) for n in range(min((last - first).days + 1, 4 * MAX_NUMBERS)))
        else:
            taken.add(read_day(form, node))
    return taken


def read_day(form: Cursor, node: Node) -> dt.date:
    """A day written as 2026-05-01."""
    try:
        return dt.date.fromisoformat(str(node.value))
    except ValueError:
        raise form.refuse(f"{form.where}: {node.value!r} is not a day such as 2026-05-01", node) from None


def _text(item: Cursor, plain: OptionGroup) -> OptionGroup:
    form = item.inner("text")
    longest = form.integer("max_length", low=1)
    shortest = form.integer("min_length", 0, low=0)
    if longest > 2000 or shortest > longest:
        raise form.refuse(f"{item.where}: lengths must satisfy min_length ≤ max_length ≤ 2000")
    return _with(plain, max_length=longest, minimum=shortest, characters=form.text("characters") or None)


def _upload(item: Cursor, plain: OptionGroup) -> OptionGroup:
    item.inner("upload")
    return plain


_FORM_READERS = {
    "one": _one,
    "several": _several,
    "flag": _flag,
    "integer": _integer,
    "date": _date,
    "text": _text,
    "upload": _upload,
}


def _options(item: Cursor) -> tuple[Option, ...]:
    options: list[Option] = []
    for form in item.parts("options"):
        option = Option(
            id=form.text("id"),
            label=form.text("label"),
            sentence=form.text("sentence"),
            price=form.integer("price"),
            cost=form.integer("cost"),
            lead_days=form.integer("lead_days", low=0),
            attributes=form.scalars("attributes"),
            default=form.boolean("default"),
            audience=form.text("audience") or None,
            swatch=form.text("swatch") or None,
            retired=form.boolean("retired"),
            renamed_from=form.texts("renamed_from"),
            unpriced=form.boolean("unpriced"),
        )
        if any(option.id == other.id for other in options):
            raise form.refuse(f"{item.where}: option {option.id!r} stands twice", form.items["id"])
        options.append(option)
    if not options:
        raise item.refuse(f"{item.where} has no options")
    return tuple(options)
