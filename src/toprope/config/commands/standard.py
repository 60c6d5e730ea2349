"""Where levels begin: what is in force, and what a panel says."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toprope.config.problem import Problem
from toprope.config.progress import progress_bar

if TYPE_CHECKING:
    from toprope.measurement.api import PanelResult

_LEVEL = click.IntRange(1, 4)
_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MOST_ROWS = 100_000

Columns = dict[str, Callable[[str], Any]]
"""The columns a table needs, and what each value becomes."""

_dry_run = click.option("--dry-run", is_flag=True, help="Show the cut, and change nothing.")


@click.group()
def standard() -> None:
    """Where levels begin: cut scores in force, and those a panel sets."""


@standard.command()
def show() -> None:
    """The cut score of each level, in logits.

    \b
    Example:
      toprope standard show
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.measurement.api import get_cuts

        for level, cut in sorted(get_cuts().items()):
            click.echo(f"level {level} from {cut:+.2f}")


@standard.command()
def booklet() -> None:
    """Every question in the order in which it is mastered, easiest first, for a bookmark panel.

    Tab-separated: the entry's number, the question, and the ability at which two in three get it right.

    \b
    Example:
      toprope standard booklet > booklet.tsv
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.measurement.api import get_booklet

        for number, entry in enumerate(get_booklet(), 1):
            click.echo(f"{number}\t{entry.item}\t{entry.location:+.2f}")


@standard.command()
@click.argument("level", type=_LEVEL)
@click.argument("table", type=_TABLE)
@_dry_run
def angoff(level: int, table: Path, *, dry_run: bool) -> None:
    """Set where LEVEL begins, as a modified Angoff panel judged it.

    TABLE is a CSV file with the columns panelist, item and share: which share (0 to 1) of people just at the
    level get the question right. Levels that people hold already stay.

    \b
    Example:
      toprope standard angoff 2 panel.csv --dry-run
    """
    columns: Columns = {"panelist": str, "item": str, "share": float}
    _set(lambda api: api.judge_by_angoff(level, _read(table, columns)), dry_run=dry_run)


@standard.command()
@click.argument("level", type=_LEVEL)
@click.argument("table", type=_TABLE)
@_dry_run
def bookmark(level: int, table: Path, *, dry_run: bool) -> None:
    """Set where LEVEL begins, as a bookmark panel judged it.

    TABLE is a CSV file with the columns panelist and entry: the number of the last entry of the booklet
    (`toprope standard booklet`) that somebody just at the level masters. Levels held already stay.

    \b
    Example:
      toprope standard bookmark 2 panel.csv --dry-run
    """
    columns: Columns = {"panelist": str, "entry": int}
    _set(lambda api: api.judge_by_bookmark(level, _read(table, columns)), dry_run=dry_run)


def _set(judge: Callable[[Any], "PanelResult"], *, dry_run: bool) -> None:
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.kit.clock import now
        from toprope.measurement import api

        try:
            result = judge(api)
        except api.StandardError as error:
            raise click.ClickException(str(error)) from error
        for panelist, cut in sorted(result.panelists.items(), key=lambda pair: pair[1]):
            click.echo(f"  {panelist}: {cut:+.2f}")
        click.echo(
            f"Level {result.level} from {result.cut:+.2f}, standard error {result.standard_error:.2f} "
            f"({result.method}, {len(result.panelists)} panelists)."
        )
        if dry_run:
            click.echo("Nothing was changed (--dry-run).")
            return
        with progress_bar("Estimates") as progress:
            api.adopt_standard(result, now(), progress)
    click.echo("It is in force.")


def _read(table: Path, columns: Columns) -> Iterator[tuple[Any, ...]]:
    """The rows of a CSV file, each value as its column asks."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise click.ClickException(
                    f"{table} has no column {missing[0]!r}; it needs a header with {', '.join(columns)}."
                )
            for row in reader:
                if reader.line_num > _MOST_ROWS:
                    raise click.ClickException(f"{table} has more than {_MOST_ROWS:,} lines; no panel does.")
                yield tuple(_value(table, reader.line_num, row, name, kind) for name, kind in columns.items())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Problem(f"{table} cannot be read as CSV in UTF-8: {error}") from error


def _value(table: Path, line: int, row: dict[str, str], name: str, kind: Callable[[str], Any]) -> Any:
    text = (row[name] or "").strip()
    try:
        if text:
            return kind(text)
    except ValueError:
        pass
    raise click.ClickException(f"{table}, line {line}: {name} is {text!r}; a {_WORDS[kind]} is asked.")


_WORDS: dict[Callable[[str], Any], str] = {str: "name", float: "number", int: "whole number"}
