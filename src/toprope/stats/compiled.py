"""How this package compiles its loops: one place for Numba's options.

Compiled code is cached, so only the first call on a machine waits for the compiler. Numba takes a cache for
good while the file of a function keeps its time and size, whatever changed in the files that it calls; after
an upgrade that would be old numbers without a word. So the cache is one of this very source: its directory
is named after the digest of every file of the package. It lies beside the source where that may be written
to, else under the user's own cache directory, never where others may write, for what is loaded from it is
run.

The interpreter lock is released, so that several threads may each work on a part; Numba's own threads are not
used, for they are not safe in a server with threads of its own. Division by zero gives infinities, as in
NumPy, instead of raising in mid-loop.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from numba import config, njit

Function = TypeVar("Function", bound=Callable[..., object])

PACKAGE = Path(__file__).parent


def digest_source(package: Path) -> str:
    """SHA-256 over every Python file of a package, as 64 hexadecimal digits."""
    source = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source.update(f"{path.relative_to(package)}\n".encode() + path.read_bytes())
    return source.hexdigest()


def cache_directory(package: Path = PACKAGE) -> Path | None:
    """Where code compiled from this very source is kept; None where nothing of one's own is writable."""
    name = f"compiled-{digest_source(package)[:16]}"
    own = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for base in (package / "__pycache__", Path(own) / "toprope"):
        try:
            directory = base.expanduser() / name
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (OSError, RuntimeError):  # RuntimeError: nobody's home
            continue
        if os.access(directory, os.W_OK):
            return directory
    return None


_directory = cache_directory()
if _directory is not None:
    config.CACHE_DIR = str(_directory)  # type: ignore[attr-defined] # Numba fills its settings in as it starts


def compiled(function: Function) -> Function:
    """Compile, with every operation rounded as written: the same input gives the same bits."""
    return cast(Function, njit(cache=_directory is not None, nogil=True, error_model="numpy")(function))


def compiled_fast(function: Function) -> Function:
    """Compile, and let the compiler reorder sums: for loops whose last bits do not matter."""
    fast = njit(cache=_directory is not None, nogil=True, error_model="numpy", fastmath=True)
    return cast(Function, fast(function))
