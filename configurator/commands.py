"""The configurator on the command line: read, look over and count a model; replay customers on it."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from configurator.compile import Compiled
from configurator.counting import count_designs
from configurator.engine import Engine
from configurator.errors import ModelError
from configurator.foreign import Foreign, read_any
from configurator.lint import Finding, lint, lint_space
from configurator.replay import Replay, percentile
from configurator.schema import product_schema
from configurator.survey import survey

app = typer.Typer(help="Product models: read, check, count, and measure them.", no_args_is_help=True)

PathArgument = Annotated[Path, typer.Argument(help="a product model: own YAML, .uvl, .dimacs or grouped .json")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer as JSON")]


def _read(path: Path) -> tuple[list[Foreign], float]:
    started = time.process_time()
    try:
        return read_any(path), (time.process_time() - started) * 1000
    except ModelError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    """One object, or a list when the file holds several products."""
    if as_json:
        sys.stdout.write(json.dumps(rows[0] if len(rows) == 1 else rows, ensure_ascii=False) + "\n")
        return
    for row in rows:
        findings = row.pop("findings", [])
        sys.stdout.write("  ".join(f"{name} {value}" for name, value in row.items()) + "\n")
        for finding in findings:
            sys.stdout.write(f"  {finding['severity']}: {finding['message']}\n")


@app.command()
def model(
    path: PathArgument,
    count: Annotated[bool, typer.Option("--count", help="count the valid designs exactly")] = False,
    seconds: Annotated[float, typer.Option("--seconds", help="time for counting")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Reads, compiles and looks over a model. Exit 1 on an error found, 2 when the file cannot be read."""
    foreign, milliseconds = _read(path)
    rows = [_report(entry, milliseconds / len(foreign), count, seconds) for entry in foreign]
    _print(rows, as_json)
    failed = any(finding["severity"] == "error" for row in rows for finding in row.get("findings", []))
    raise typer.Exit(1 if failed else 0)


def _report(foreign: Foreign, compile_ms: float, count: bool, seconds: float) -> dict[str, Any]:
    started = time.process_time()
    space = foreign.space
    engine = Engine(space)
    facts = survey(space, engine)
    findings = _findings(foreign.compiled, foreign, engine)
    lint_ms = (time.process_time() - started) * 1000
    number = (count_designs(space, seconds) if facts.valid else 0) if count else None
    return {
        "format": foreign.format,
        "groups": len(space.groups),
        "values": sum(len(group.values) for group in space.groups),
        "rules": len(space.rules),
        "valid": facts.valid,
        "core": len(facts.core),
        "dead": len(facts.dead),
        "count": None if number is None else str(number),
        "compile_ms": round(compile_ms, 2),
        "lint_ms": round(lint_ms, 2),
        "findings": [{"severity": f.severity, "rule": f.rule, "message": f.message} for f in findings],
    }


def _findings(compiled: Compiled | None, foreign: Foreign, engine: Engine) -> tuple[Finding, ...]:
    return lint(compiled) if compiled is not None else lint_space(foreign.space, engine)


@app.command()
def clicks(
    path: PathArgument,
    number: Annotated[int, typer.Option("--clicks", help="how many clicks")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="which customers")] = 1,
    verify: Annotated[bool, typer.Option("--verify", help="compare every domain with plain SAT")] = False,
    as_json: JsonOption = False,
) -> None:
    """Replays random customers: milliseconds of a click, cold and warm, of explanations and of repairs."""
    foreign, _ = _read(path)
    rows = []
    for entry in foreign:
        timings = Replay(entry, seed, verify).run(number)
        rows.append(
            {
                "clicks": timings.clicks,
                "cold_p50_ms": percentile(timings.cold, 0.5),
                "cold_p99_ms": percentile(timings.cold, 0.99),
                "warm_p50_ms": percentile(timings.warm, 0.5),
                "explain_p99_ms": percentile(timings.explain, 0.99),
                "repair_p99_ms": percentile(timings.repair, 0.99),
                "disagreements": timings.disagreements + timings.unknown if verify else None,
            }
        )
    _print(rows, as_json)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of product files, with which editors complete and check them while they are written."""
    sys.stdout.write(json.dumps(product_schema(), ensure_ascii=False, indent=2) + "\n")
