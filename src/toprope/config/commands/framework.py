"""Competency frameworks with their content: packs."""

from pathlib import Path

import click

from toprope.config.problem import EXIT_FOUND
from toprope.config.progress import progress_bar

_PACK = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def framework() -> None:
    """Competency frameworks with their items, lessons and rules: packs."""


@framework.command()
@click.argument("path", type=_PACK)
def check(path: Path) -> None:
    """Check the pack in PATH; each finding names the file, the line and the cure.

    Needs no installation and changes nothing. Exit code 1 where there are errors; warnings do not count.

    \b
    Example:
      toprope framework check my-pack/
    """
    from toprope.config.session import set_up_django

    set_up_django()
    from toprope.content.api import check_pack

    with click.progressbar(length=1, label="Checking") as bar:
        problems = check_pack(path)
        bar.update(1)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        click.secho(
            f"{errors} errors, {len(problems) - errors} warnings. It cannot be loaded.", fg="red", err=True
        )
        raise SystemExit(EXIT_FOUND)
    warnings = f", {len(problems)} warnings" if problems else ""
    click.secho(f"No errors{warnings}. Load it: toprope framework load {path}", fg="green", err=True)


@framework.command()
@click.argument("path", type=_PACK)
def load(path: Path) -> None:
    """Load the pack in PATH and put it in force.

    What was earned on an earlier pack keeps the version it was earned on. Loading the same pack again changes
    nothing.

    \b
    Example:
      toprope framework load my-pack/
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.authorization.api import publish_everybody
        from toprope.content.api import PackRefusedError, load_pack
        from toprope.kit.clock import now
        from toprope.measurement.api import refresh_stale

        try:
            pack = load_pack(path, now(), by="operator")
        except PackRefusedError as error:
            raise click.ClickException(str(error)) from error
        with progress_bar("Estimates") as progress:
            refresh_stale(progress)
        publish_everybody()
    click.echo(
        f"{pack.reference} is in force." if pack.new else f"{pack.reference} was loaded before; no change."
    )
