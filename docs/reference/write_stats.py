"""Write stats.md, the reference of `toprope.stats`, from the docstrings themselves.

    python docs/reference/write_stats.py

A test compares the page with what this would write, so that the two never part.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

PAGE = Path(__file__).with_name("stats.md")

PACKAGES = {
    "toprope.stats": "Measurement",
    "toprope.stats.calibration": "Calibration",
    "toprope.stats.quality": "Quality",
    "toprope.stats.prediction": "Predicting the next answer",
}

HEAD = """# `toprope.stats`

Measurement as a library of its own: `from toprope.stats import ...`. It needs NumPy and Numba and knows
nothing of the rest of Toprope. Why it is done this way: [How Toprope measures](../explanation/measuring.md).
Abilities, difficulties and severities are in logits; shapes are given as in NumPy, `(J,)` for J items.

This page is written from the docstrings by `python docs/reference/write_stats.py`.
"""


def main() -> None:
    PAGE.write_text(render())


def render() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in PACKAGES for line in _package(name))]).rstrip() + "\n"


def _package(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    yield f"## {PACKAGES[name]}: `{name}`\n"
    yield _prose(module.__doc__ or "") + "\n"
    members = [getattr(module, each) for each in sorted(_public(module), key=str.lower)]
    members = [each for each in members if callable(each)]
    for member in members:
        yield from _member(member)


def _public(module: object) -> list[str]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return list(listed)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and value.__module__ == module.__name__  # type: ignore[attr-defined]
    ]


def _member(member: object) -> Iterator[str]:
    member = getattr(member, "py_func", member)  # what was compiled, as it was written
    name = member.__name__  # type: ignore[attr-defined]
    yield f"### `{name}`\n"
    if inspect.isclass(member) and issubclass(member, Enum):
        yield "One of " + ", ".join(f"`{each.name}`" for each in member) + ".\n"
    else:
        yield f"```python\n{name}{_signature(member)}\n```\n"
    yield _prose(inspect.getdoc(member) or "") + "\n"


def _signature(member: object) -> str:
    """The parameters as they are written in the source, where names like ArrayLike still stand."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(member))).body[0]  # type: ignore[arg-type]
    if isinstance(tree, ast.FunctionDef):
        returned = f" -> {ast.unparse(tree.returns)}" if tree.returns else ""
        return _folded(ast.unparse(tree.args), returned)
    fields = [ast.unparse(each) for each in tree.body if isinstance(each, ast.AnnAssign)]  # type: ignore[attr-defined]
    return _folded(", ".join(fields), "")


def _folded(parameters: str, returned: str) -> str:
    if len(parameters) + len(returned) < 80:
        return f"({parameters}){returned}"
    lines = "".join(f"    {part},\n" for part in _split(parameters))
    return f"(\n{lines}){returned}"


def _split(text: str) -> list[str]:
    """The parameters, divided at commas outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += letter in "([{"
        depth -= letter in ")]}"
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _prose(text: str) -> str:
    """A docstring as Markdown: what is indented stays as it is, the rest is prose."""
    return inspect.cleandoc(text).replace("<-", "&lt;-")


if __name__ == "__main__":
    main()
