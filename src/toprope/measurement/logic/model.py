"""Which model estimates are made with: named after its very source, so that a change of it folds them anew.
Pure.
"""

from pathlib import Path

from toprope.stats.compiled import PACKAGE, digest_source

MODEL = f"{digest_source(PACKAGE)[:8]}{digest_source(Path(__file__).parent)[:8]}"
