"""The record: verifying it, and rebuilding what is derived from it."""

import time

import click

from toprope.config.problem import EXIT_FOUND
from toprope.config.progress import progress_bar


@click.group()
def audit() -> None:
    """The audit record."""


@audit.command()
def verify() -> None:
    """Check the whole record: nothing changed, removed, added or reordered behind its back.

    Follows the hash chain over every entry, compares it with what the witness files in TOPROPE_HOME saw, and
    every statement with the entry that recorded it. Exit code 0: all is as it was written; 1: it is not, and
    the output says what and where.

    \b
    Example:
      toprope audit verify
    """
    from toprope.config.session import open_installation

    with open_installation():
        from toprope.audit.api import verify as verify_entries
        from toprope.evidence.api import verify_statements

        with progress_bar("Audit entries") as progress:
            report = verify_entries(progress)
        with progress_bar("Statements") as progress:
            statement_problems = verify_statements(progress)

    for title, problems in (("audit entry", report.problems), ("statement", statement_problems)):
        for problem in problems:
            click.echo(
                f"{title} {problem.seq}: {problem.what}" if problem.seq else f"{title}s: {problem.what}"
            )
    head = f", head {report.head.seq:,} {report.head.hash.hex()}" if report.head else ""
    found = len(report.problems) + len(statement_problems)
    if found:
        click.secho(f"RED: the record is not as it was written. {report.entries:,} entries{head}.", fg="red")
        click.echo(
            "Keep the database and TOPROPE_HOME as they are, tell whoever answers for the record, and "
            "compare with a backup."
        )
        raise SystemExit(EXIT_FOUND)
    click.secho(f"Green: the record is as it was written. {report.entries:,} entries{head}.", fg="green")


@click.command()
def rebuild() -> None:
    """Drop every derived table and make it anew from the statements.

    Estimates, levels and grants come out the same as before; where they do not, something had changed them
    behind the statements' back, the exit code is 1, and the tables now are what the statements say. Readers
    see the old tables until the new ones stand; nothing is recorded meanwhile.

    \b
    Example:
      toprope rebuild
    """
    from toprope.config.session import open_installation

    with open_installation(owner=True):
        from toprope.config.rebuild import rebuild as rebuild_derived
        from toprope.evidence.api import last_seq

        began = time.monotonic()
        # Three stages read the statements, each those it follows: the bar's end is an upper bound.
        with click.progressbar(length=max(3 * last_seq(), 1), label="Rebuilding") as bar:
            rebuilt = rebuild_derived(bar.update)
            bar.update((bar.length or 0) - bar.pos)
    seconds = max(time.monotonic() - began, 1e-9)
    click.echo(
        f"Read {rebuilt.statements:,} statements in {seconds:.1f} s "
        f"({rebuilt.statements / seconds:,.0f} per second). Digest {rebuilt.after}."
    )
    if not rebuilt.identical:
        click.secho(
            f"The derived tables were not what the statements say (digest {rebuilt.before}); now they are.",
            fg="red",
        )
        raise SystemExit(EXIT_FOUND)
    click.secho("Identical to what was there.", fg="green")
