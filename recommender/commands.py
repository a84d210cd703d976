"""The recommender on the command line: batch answers, future value and uplift from any shop's files."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Recommendations from any shop's history.", no_args_is_help=True)


@app.callback()
def commands() -> None:
    """Recommendations from any shop's history."""


@app.command()
def recommend(
    history: Annotated[Path, typer.Option(help="customer,basket,at,item,quantity,price; .csv or .csv.gz")],
    queries: Annotated[Path, typer.Option(help='a line each: {"id","customer"|null,"basket":[…],"new_only","k"}')],
    out: Annotated[Path, typer.Option(help='a line each: {"id","items":[{"item","score","reason"}]}')],
    seed: int = 0,
) -> None:
    """Answers a file of questions from a history."""
    # The numeric stack costs a second and 35 MB: only the commands that need it load it.
    from recommender.batch import answer_file  # noqa: PLC0415

    try:
        answered = answer_file(history, queries, out, seed)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(json.dumps(answered), err=True)


@app.command()
def value(
    history: Annotated[Path, typer.Option(help="customer,basket,at,item,quantity,price; .csv or .csv.gz")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="fit purchase days before it")] = None,
    weeks: Annotated[int | None, typer.Option(min=1, help="test on so many weeks after it")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Future purchases of each customer: BG/NBD and Gamma-Gamma, tested on the weeks that followed."""
    # Loaded here for the same reason.
    from recommender.forecast import value_of  # noqa: PLC0415

    try:
        found = value_of(history, None if until is None else until.date(), weeks)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, figure in found.items():
            typer.echo(f"{name}: {figure}")
