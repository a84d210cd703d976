"""A question over its budget is "not known in time", and the next one is answered as ever."""

from collections import deque

import pytest

from configurator import Analysis, Compiled, NotKnownInTime, analyse, compile_model, engine, parse


def pigeons(count: int) -> Compiled:
    """So many pigeons want as many holes but one once `crowded` is chosen: true of none, and hard to see."""
    holes = [f"{{id: h{n}, label: H}}" for n in range(count)]
    groups = "".join(f"  - {{id: p{n}, label: P, options: [{', '.join(holes)}]}}\n" for n in range(count))
    rules = "".join(
        f"  - {{id: r{a}-{b}-{h}, reason: R, never: {{p{a}: h{h}, p{b}: h{h}}}}}\n"
        for a in range(count)
        for b in range(a)
        for h in range(count)
    )
    rules += "".join(f"  - {{id: c{n}, reason: R, never: {{crowded: true, p{n}: h0}}}}\n" for n in range(count))
    text = (
        "product: loft\nname: Loft\ncategory: c\ncurrency: EUR\nbase: {price: 1}\ngroups:\n"
        f"  - {{id: crowded, label: C, flag: {{}}}}\n{groups}rules:\n{rules}"
    )
    return compile_model(parse(text, "loft.yaml")[0])


def test_too_hard_a_question_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    loft = pigeons(9)
    monkeypatch.setattr(engine, "CONFLICTS", 100)
    with pytest.raises(NotKnownInTime):
        analyse(loft, {"crowded": True})
    monkeypatch.setattr(engine, "CONFLICTS", 200_000)
    state = analyse(pigeons(5), {})
    assert isinstance(state, Analysis)
    (crowded,) = [group for group in state.groups if group.id == "crowded"]
    assert [(value.id, value.state) for value in crowded.values] == [(True, "impossible"), (False, "chosen")]


def test_a_question_of_many_calls_has_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    loft = pigeons(6)
    taken = [value for values in loft.literals.values() for value in values.values()]
    monkeypatch.setattr(engine, "CONFLICTS", 5)
    monkeypatch.setattr(engine, "PIECE", 1)
    with loft.live.engine() as solver, pytest.raises(NotKnownInTime):
        deque(map(solver.holds, ([loft.literals["crowded"][True], literal] for literal in taken * 40)))
    with loft.live.engine() as solver:
        assert solver.holds([loft.literals["crowded"][False]])


def test_propagations_and_time_bound_a_question_too(monkeypatch: pytest.MonkeyPatch) -> None:
    loft = pigeons(4)
    for limit in ("PROPAGATIONS", "SECONDS"):
        monkeypatch.setattr(engine, limit, 0)
        with pytest.raises(NotKnownInTime):
            analyse(loft, {})
        monkeypatch.undo()
    assert isinstance(analyse(loft, {}), Analysis)
