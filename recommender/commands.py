"""The recommender on the command line: batch answers for any shop's history."""

import json
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
