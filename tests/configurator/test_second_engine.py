"""An engine of another kind, answer set programming, finds the same values possible and as many designs."""

import random

import clingo
import pytest
import yaml

import configurator
from configurator import Compiled, compile_model, engine, parse
from configurator.counting import count_designs
from configurator.live import Live
from configurator.space import Space
from tests.configurator.oracle import Oracle
from tests.configurator.random_models import RandomModel, compiled
from tests.configurator.synthetic import Luxury


def controlled(space: Space, *options: str) -> clingo.Control:
    """The clauses as a logic program: each variable is freely true or not, no clause is broken, values are shown."""
    lines = [f"{{v({variable})}}." for variable in range(1, space.variables + 1)]
    lines += [
        ":- " + ", ".join(f"{'not ' if x > 0 else ''}v({abs(x)})" for x in clause) + "." for clause in space.clauses
    ]
    values = {abs(literal) for group in space.groups for literal in group.literals}
    lines += ["#show.", *(f"#show v({value}) : v({value})." for value in sorted(values))]
    control = clingo.Control(["--warn=none", *options])
    control.add("base", [], "\n".join(lines))
    control.ground([("base", [])])
    return control


def possible(control: clingo.Control, assumed: tuple[int, ...]) -> set[int] | None:
    """The values that are true in some design under the assumptions; None when there is no design."""
    found: set[int] | None = None
    literals = [(clingo.Function("v", [clingo.Number(abs(x))]), x > 0) for x in assumed]
    with control.solve(assumptions=literals, yield_=True) as models:
        for model in models:  # brave consequences: each model adds to the ones before
            found = {symbol.arguments[0].number for symbol in model.symbols(shown=True)}
    return found


def count(space: Space) -> int:
    """The number of designs, told apart by their values."""
    control = controlled(space, "--project=show", "0")
    with control.solve(yield_=True) as models:
        return sum(1 for _ in models)


def compare(c: Compiled, r: random.Random, clicks: int) -> None:
    """Random clicks; the open groups have the same values after each."""
    space, live, control = c.space, Live(c.space), controlled(c.space, "--enum-mode=brave", "0")
    groups = [group for group in space.groups if group.kind == "one" and group.literals]
    chosen: tuple[int, ...] = ()
    for group in r.sample(groups, min(clicks, len(groups))):
        domains, truth = live.domains(chosen), possible(control, chosen)
        assert (domains is None) == (truth is None)
        if domains is None or truth is None:
            return
        taken = {abs(x) for x in chosen}
        for other in groups:
            if taken.isdisjoint(other.literals):
                assert {x for x in other.literals if domains.true >> x & 1} == truth.intersection(other.literals)
        left = [x for x in group.literals if domains.true >> x & 1]
        if left:
            chosen = tuple(sorted((*chosen, r.choice(left))))


@pytest.mark.parametrize("seed", range(60))
def test_small_products(seed: int) -> None:
    c = compiled(RandomModel(seed).document())
    compare(c, random.Random(seed), 4)
    if seed % 6 == 0:  # the counter is a process of its own each time
        assert count(c.space) == count_designs(c.space)


@pytest.mark.parametrize("seed", range(20))
def test_small_products_without_pairs_written_out(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGEST", 0)  # as in models too large for that
    compare(compiled(RandomModel(seed).document()), random.Random(seed), 4)


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_designs_that_hold_choices_are_counted(seed: int) -> None:
    document = RandomModel(seed).document()
    c, oracle = compiled(document), Oracle(document)
    choices = dict(list(oracle.designs[0].items())[:2]) if oracle.designs else {}
    plain = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in choices.items()}
    assert configurator.count(c, plain) == sum(oracle.agrees(design, plain) for design in oracle.designs)
    assert configurator.count(c, {}) == len(oracle.designs)


def test_a_product_of_a_hundred_options() -> None:
    (model,) = parse(yaml.safe_dump(Luxury(12, 100, 40, 3).document(), sort_keys=False), "luxury.yaml")
    compare(compile_model(model), random.Random(3), 8)
