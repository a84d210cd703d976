"""The configurator on the command line: read a model, count it, look it over."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from configurator.catalogue import load
from configurator.compile import compile_model
from configurator.errors import ModelError
from configurator.lint import lint

app = typer.Typer(help="Product models: read, check, count, and measure them.", no_args_is_help=True)


@app.command()
def model(
    path: Annotated[Path, typer.Argument(help="own YAML, or a folder of it")],
    as_json: Annotated[bool, typer.Option("--json", help="answer as JSON")] = False,
) -> None:
    """Reads, compiles and looks over a product model: exit 1 on an error found, 2 when it cannot be read."""
    try:
        models = load(path)
    except ModelError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    failed = False
    for product in models:
        started = time.perf_counter()
        compiled = compile_model(product)
        ready = time.perf_counter()
        findings = lint(compiled)
        done = time.perf_counter()
        failed = failed or any(finding.severity == "error" for finding in findings)
        report = {
            "format": "yaml",
            "groups": len(product.groups),
            "values": sum(len(group.values) for group in compiled.space.groups),
            "rules": len(product.rules),
            "compile_ms": round((ready - started) * 1000, 2),
            "lint_ms": round((done - ready) * 1000, 2),
            "findings": [{"severity": f.severity, "rule": f.rule, "message": f.message} for f in findings],
        }
        sys.stdout.write(json.dumps(report) + "\n" if as_json else f"{product.slug}: {report}\n")
    raise typer.Exit(1 if failed else 0)
