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
    algorithm: Annotated[str | None, typer.Option(help="let one algorithm answer alone, as a yardstick")] = None,
) -> None:
    """Answers a file of questions from a history."""
    # The numeric stack costs a second and 35 MB: only the commands that need it load it.
    from recommender.batch import answer_file  # noqa: PLC0415

    try:
        answered = answer_file(history, queries, out, seed, algorithm)
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


@app.command()
def uplift(
    train: Annotated[Path, typer.Option(help="a randomised campaign, one customer a row")],
    apply: Annotated[Path, typer.Option(help="customers to judge, the same columns")],
    treatment: Annotated[str, typer.Option(help="column that holds the arm")],
    arm: Annotated[str, typer.Option(help="value of those who got the offer")],
    control: Annotated[str, typer.Option(help="value of those who got none")],
    outcome: Annotated[str, typer.Option(help="column of what came of it")],
    out: Annotated[Path, typer.Option(help="row,uplift for each row of --apply")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Who is moved by the offer, learned from a randomised campaign; says when nobody can be told apart."""
    # Loaded here for the same reason.
    from recommender.uplift import uplift_files  # noqa: PLC0415

    try:
        found = uplift_files(train, apply, out, treatment=treatment, arm=arm, control=control, outcome=outcome)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(found))
        return
    low, high = found["lift_interval"]
    typer.echo(f"average lift {found['lift']:.4f} (95 %: {low:.4f} to {high:.4f})")
    told = "customers differ" if found["personal_difference"] else "no personal difference: everyone gets the average"
    typer.echo(f"Qini {found['qini']:.4f}: {told}; {found['customers_needed']} customers an arm show such a lift")
