"""The built-in framework as a value, without a database."""

from functools import cache
from importlib.resources import files

from toprope.competency.api import Framework
from toprope.competency.parsing import parse_framework
from toprope.competency.problems import parse_document


@cache
def builtin_framework() -> Framework:
    root = files("toprope.content") / "packs" / "toprope-default"
    paths = [entry.name for entry in root.iterdir() if entry.name.endswith(".yaml")]
    paths += [f"competencies/{entry.name}" for entry in (root / "competencies").iterdir()]
    documents = {}
    for path in paths:
        document, problems = parse_document(path, (root / path).read_bytes())
        assert document is not None, problems
        documents[path] = document.value
    return parse_framework(documents)
