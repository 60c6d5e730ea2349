"""Whether a pack is sound: what `toprope framework check` reports, and what keeps it from being loaded."""

from pathlib import Path

from toprope.competency.problems import Document, Problem
from toprope.content.pack import Pack, read_pack


def check_pack(root: Path) -> list[Problem]:
    """Everything that is wrong with the pack in this directory, in the order of its files and lines."""
    return examine(read_pack(root))[1]


def examine(pack: Pack) -> tuple[dict[str, Document], list[Problem]]:
    """The pack's documents by path, and everything that is wrong with them."""
    documents, problems = pack.parse()
    problems += pack.problems
    return documents, sorted(problems, key=lambda problem: (problem.path, problem.line))
