"""Calibrating items and raters from everybody's answers and ratings."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import click

from toprope.config.problem import Problem
from toprope.config.progress import progress_bar

if TYPE_CHECKING:
    from toprope.measurement.api import Proposal


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would come out, and change nothing.")
@click.option(
    "--afresh",
    is_flag=True,
    help="Calibrate every item anew instead of keeping settled ones as anchors.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where to compute: in this process, or on a Dask cluster (needs the extra 'cluster').",
)
@click.option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler, such as tcp://10.0.0.5:8786.")
def calibrate(*, dry_run: bool, afresh: bool, engine: str, scheduler: str | None) -> None:
    """Learn what questions and raters are like, from what everybody answered and rated.

    Questions with some thirty answers get a difficulty and a discrimination of their own in place of the
    planned ones, and raters a severity. Everybody's estimates are then made anew; levels and access already
    earned stay as they are. Items that are settled keep their place, so that the scale does not move.

    \b
    Examples:
      toprope calibrate --dry-run
      toprope calibrate --engine dask --scheduler tcp://10.0.0.5:8786
    """
    from toprope.config.session import open_installation

    with _cluster(engine, scheduler) as client, open_installation():
        from toprope.kit.clock import now
        from toprope.measurement.api import adopt_calibration, propose_calibration

        with progress_bar("Persons read") as progress:
            proposal = propose_calibration(progress, afresh=afresh, client=client)
        _tell(proposal)
        if dry_run:
            click.echo("Nothing was changed (--dry-run).")
            return
        with progress_bar("Estimates") as progress:
            number = adopt_calibration(proposal, now(), progress)
    click.echo(f"Calibration {number} is in force.")


def _cluster(engine: str, scheduler: str | None) -> AbstractContextManager[Any]:
    if engine == "local":
        if scheduler:
            raise click.UsageError("--scheduler goes with --engine dask.")
        return nullcontext()
    if not scheduler:
        raise click.UsageError("--engine dask needs --scheduler tcp://HOST:8786.")
    try:
        from distributed import Client  # few installations have a cluster
    except ImportError as error:
        raise Problem(
            "Dask is not installed here; install Toprope with its extra: pip install 'toprope[cluster]'."
        ) from error
    try:
        return cast("AbstractContextManager[Any]", Client(scheduler, timeout="5s"))  # type: ignore[no-untyped-call]
    except OSError as error:
        raise Problem(f"No Dask scheduler answers at {scheduler}; `dask scheduler` starts one.") from error


def _tell(proposal: "Proposal") -> None:
    click.echo(f"{proposal.persons:,} persons, {proposal.responses:,} answers.")
    width = max((len(each.competency) for each in proposal.competencies), default=0)
    for each in proposal.competencies:
        click.echo(
            f"  {each.competency:<{width}}  {each.calibrated} of {len(each.items)} items, "
            f"{each.persons:,} persons: {each.said}"
        )
        for item in each.items:
            for note in item.notes:
                if item.parameters is not None or item.responses >= 30:  # new items are no news
                    click.echo(f"  {'':<{width}}  {item.item[0]}: {note}")
    for fading in proposal.retention:
        click.echo(
            f"{fading.competency} fades to half in {fading.half_life_days:,.0f} days "
            f"(from {fading.probes:,} answers after pauses)."
        )
    learnt = proposal.learnt
    asked = "Certainty to ask for a level" if learnt.learnt else "Certainty to ask for a level, as before"
    click.echo(f"{asked}: {learnt.threshold:.3f} ({learnt.reason}).")
    if proposal.raters:
        click.echo(
            f"{len(proposal.raters.raters)} raters; their severities differ by "
            f"{proposal.raters.spread:.2f} logits (standard deviation)."
        )
