"""Progress bars for long work. At a terminal they move; in a log they leave one line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar to be told how much is done and how much there is; on standard error, results go to the other."""
    with click.progressbar(length=1, label=f"{label:<14}", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield progress
        bar.update((bar.length or 0) - bar.pos)
