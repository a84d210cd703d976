"""Measures the shop as a process of its own (CPU of a request beside a constant page, start, memory) and its engine.

Run by `python main.py bench [AREA|all] [--json]`, the areas being those below; `histories`, half an hour of CPU, only
by name. For the shop, CPU is the own one of the server (user and system, all its workers), read from /proc, so that the
client and the payment sandbox do not count.
"""

import json
import sys
from collections.abc import Callable, Mapping

from tests.benchmarks import engine, histories, proposals, published, recommending, start, web

AREAS: dict[str, Callable[[], Mapping[str, object]]] = {
    "web": web.measure,
    "start": start.measure,
    "engine": engine.measure,
    "proposals": proposals.measure,
    "recommender": recommending.measure,
    "published": published.measure,
    "histories": histories.measure,
}
LONG = {"histories"}


def main(arguments: list[str]) -> int:
    """Run the areas asked for and print a table, or JSON."""
    as_json = "--json" in arguments
    wanted = [name for name in arguments if not name.startswith("-")] or ["all"]
    if unknown := set(wanted) - set(AREAS) - {"all"}:
        sys.stderr.write(f"unknown area: {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}\n")
        return 2
    results = {
        name: measure() for name, measure in AREAS.items() if name in wanted or ("all" in wanted and name not in LONG)
    }
    if as_json:
        sys.stdout.write(json.dumps(results, indent=1) + "\n")
    else:
        for area, figures in results.items():
            sys.stdout.write(f"{area}\n")
            for name, value in figures.items():
                sys.stdout.write(f"  {name:<44} {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
