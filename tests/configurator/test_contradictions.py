"""The rules that make values impossible: none too many, and the same whatever was asked before."""

import random
from collections.abc import Sequence

import pytest
from pysat.solvers import Solver

from configurator import NotKnownInTime, analyse, compile_model, contradictions, engine, parse
from configurator.dimacs import read_dimacs
from configurator.live import Live
from configurator.space import Space
from tests.configurator.random_models import RandomModel, compiled
from tests.configurator.synthetic import feature_model
from tests.configurator.test_budget import pigeons

WAYS = pytest.mark.parametrize("few", [0, 1000], ids=["slices", "kept"])


class Judge:
    """Plain SAT over all clauses, with a selector for every rule."""

    def __init__(self, space: Space) -> None:
        self.first = space.variables + 1
        self.rules = range(len(space.rules))
        self.solver = Solver(name="cadical153")
        self.solver.add_clause([self.first + len(space.rules), -self.first])
        for clause, owner in zip(space.clauses, space.owners, strict=True):
            self.solver.add_clause(clause if owner < 0 else [*clause, -(self.first + owner)])

    def possible(self, assumed: Sequence[int], rules: Sequence[int]) -> bool:
        """Whether the values go with the rules."""
        return bool(self.solver.solve(assumptions=[*assumed, *(self.first + rule for rule in rules)]))

    def check(self, assumed: Sequence[int], rules: Sequence[int]) -> None:
        """The rules contradict the values, and no rule can be left out."""
        assert not self.possible(assumed, rules)
        assert [rule for rule in rules if not self.possible(assumed, [x for x in rules if x != rule])] == []


def questions(space: Space, judge: Judge, r: random.Random, number: int) -> list[list[int]]:
    """Values drawn at random that do not go together."""
    literals = [literal for group in space.groups for literal in group.literals]
    drawn = (r.sample(literals, min(len(literals), r.randint(1, 5))) for _ in range(number * 20))
    return [values for values in drawn if not judge.possible(values, judge.rules)][:number]


def compare(space: Space, seed: int, number: int) -> None:
    """Every answer is minimal, and the same when asked of another one in another order."""
    judge, live, other = Judge(space), Live(space), Live(space)
    asked = questions(space, judge, random.Random(seed), number)
    found = [live.contradictions.rules(values) for values in asked]
    for values, rules in zip(asked, found, strict=True):
        judge.check(values, rules)
    assert [other.contradictions.rules(values) for values in reversed(asked)] == found[::-1]


@WAYS
@pytest.mark.parametrize("seed", range(60))
def test_rules_named_are_minimal(seed: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    compare(compiled(RandomModel(seed).document()).space, seed, 12)


def test_of_thousands_of_rules_a_few_are_named() -> None:
    space = read_dimacs(feature_model(1200, 4000, seed=5), "features.dimacs")
    assert len(space.rules) > contradictions.FEW
    compare(space, 5, 40)


@WAYS
def test_a_long_chain_of_implications_is_named_whole(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    length = 300
    lines = [f"-{v} {v + 1} 0" for v in range(1, length)] + [f"-1 {v} 0" for v in range(length + 1, 2 * length)]
    space = read_dimacs(f"p cnf {2 * length} {len(lines)}\n" + "\n".join(lines), "chain.dimacs")
    assert Live(space).contradictions.rules([1, -length]) == list(range(length - 1))


@WAYS
def test_search_is_needed_where_propagation_sees_nothing(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    c = pigeons(5)
    crowded = c.literals["crowded"][True]
    rules = Live(c.space).contradictions.rules([crowded])
    Judge(c.space).check([crowded], rules)
    assert len(rules) == 45  # ten pairs of pigeons in each of four holes; and five rules that close the fifth
    assert analyse(c, {"crowded": False}) is not None


@WAYS
def test_a_model_without_any_design_is_explained(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    clauses = [(1, 2), (3, 4), (-1, 2), (4, 5), (-2, 1), (-5, 3), (-1, -2)]
    text = f"p cnf 5 {len(clauses)}\n" + "\n".join(f"{' '.join(map(str, clause))} 0" for clause in clauses)
    assert Live(read_dimacs(text, "void.dimacs")).contradictions.rules([]) == [0, 2, 4, 6]


@WAYS
def test_groups_that_contradict_themselves_need_no_rule(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    text = (
        "product: p\nname: P\ncategory: c\ncurrency: EUR\nbase: {price: 1}\ngroups:\n"
        "  - {id: a, label: A, options: [{id: x, label: X}, {id: y, label: Y}]}\n"
        "  - {id: b, label: B, options: [{id: z, label: Z, retired: true}]}\n"
        "rules: [{id: r, reason: R, never: {a: x}}]\n"
    )
    space = compile_model(parse(text, "p.yaml")[0]).space
    assert Live(space).contradictions.rules([1]) == []


@WAYS
def test_too_hard_a_contradiction_is_not_known_in_time(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "FEW", few)
    monkeypatch.setattr(engine, "CONFLICTS", 20)
    loft = pigeons(9)
    with pytest.raises(NotKnownInTime):
        Live(loft.space).contradictions.rules([loft.literals["crowded"][True]])
