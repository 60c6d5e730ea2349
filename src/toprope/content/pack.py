"""A pack on disk: which files belong to it, read with bounds. Knows the file system, and no database.

A pack may come from anywhere, so links are not followed, nothing but plain files is opened, and sizes and
numbers are bounded before anything is read whole.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from toprope.competency.api import MAX_FILE_BYTES, Document, Problem, parse_document, suggest

SINGLE = (
    "framework.yaml",
    "ladder.yaml",
    "lessons.yaml",
    "metrics.yaml",
    "policy.yaml",
    "programs.yaml",
    "roles.yaml",
    "rubrics.yaml",
    "sources.yaml",
)
FOLDERS = ("competencies", "items", "practicals")
FIXTURES = "fixtures"

MAX_FILES = 1_000
MAX_TOTAL_BYTES = 20_000_000
MAX_FOLDER_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Pack:
    """The files of a pack by their path in it, and what kept others from being read."""

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents: two packs with the same digest are the same pack."""
        whole = sha256()
        for path in sorted(self.files):
            whole.update(f"{path}\0{sha256(self.files[path]).hexdigest()}\n".encode())
        return whole.hexdigest()

    def parse(self) -> tuple[dict[str, Document], list[Problem]]:
        """The pack's documents by path, without the fixtures, and what is wrong with them as YAML."""
        documents: dict[str, Document] = {}
        problems: list[Problem] = []
        for path in sorted(self.files):
            if path.startswith(FIXTURES + "/"):
                continue
            document, found = parse_document(path, self.files[path])
            problems += found
            if document is not None:
                documents[path] = document
        return documents, problems


@dataclass(slots=True)
class _Reading:
    root: Path
    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    total: int = 0

    def report(self, path: str, message: str, cure: str) -> None:
        self.problems.append(Problem(path, 1, message, cure))


def read_pack(root: Path) -> Pack:
    """Read the files of the pack in this directory. Never raises for what the directory holds."""
    reading = _Reading(root.resolve())
    if not reading.root.is_dir():
        cure = "Give the directory that holds framework.yaml."
        reading.report(".", f"{root} is no directory.", cure)
        return Pack({}, tuple(reading.problems))
    for path in _list_files(reading):
        if len(reading.files) >= MAX_FILES:
            reading.report(path, f"The pack has more than {MAX_FILES:,} files.", "Remove what is no content.")
            break
        _read_file(reading, path)
        if reading.total > MAX_TOTAL_BYTES:
            cure = "Remove what is no content."
            reading.report(path, f"The pack has more than {MAX_TOTAL_BYTES:,} bytes.", cure)
            break
    if not reading.files and not reading.problems:
        cure = "Give the directory that holds framework.yaml."
        reading.report(".", f"{root} holds no file of a pack.", cure)
    return Pack(reading.files, tuple(reading.problems))


def _list_files(reading: _Reading) -> Iterator[str]:
    present = {path for path, folder in _scan(reading, "") if not folder}
    yield from (name for name in SINGLE if name in present)
    for name in sorted(present):
        if name.endswith((".yaml", ".yml")) and name not in SINGLE:
            reading.problems.append(_stray(name, suggest(name, SINGLE)))
    for folder in FOLDERS:
        for path, is_folder in _scan(reading, folder):
            if path.endswith(".yaml") and not is_folder:
                yield path
            elif is_folder or path.endswith(".yml"):
                reading.problems.append(_stray(path, f"Name it {folder}/<name>.yaml."))
    yield from _list_fixtures(reading, FIXTURES, 1)


def _stray(path: str, cure: str) -> Problem:
    return Problem(path, 1, "Nothing reads this file.", cure, "warning")


def _list_fixtures(reading: _Reading, folder: str, depth: int) -> Iterator[str]:
    for path, is_folder in _scan(reading, folder):
        if not is_folder:
            yield path
        elif depth >= MAX_FOLDER_DEPTH:
            reading.report(path, "Folders are nested too deep.", f"Use at most {MAX_FOLDER_DEPTH} levels.")
        else:
            yield from _list_fixtures(reading, path, depth + 1)


def _scan(reading: _Reading, folder: str) -> list[tuple[str, bool]]:
    """One folder's entries as (path in the pack, whether it is a folder), sorted; hidden ones left out."""
    found: list[tuple[str, bool]] = []
    try:
        if folder and not stat.S_ISDIR(os.lstat(reading.root / folder).st_mode):
            reading.report(folder, f"'{folder}' is no folder.", "Put a folder there, not a link or a file.")
            return []
        with os.scandir(reading.root / folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "__pycache__")):
                    continue
                if len(found) >= MAX_FILES:
                    reading.report(
                        folder or ".", f"The folder has more than {MAX_FILES:,} entries.", "Tidy up."
                    )
                    break
                found.append((f"{folder}/{entry.name}".lstrip("/"), entry.is_dir(follow_symlinks=False)))
    except FileNotFoundError:
        return []
    except OSError as error:
        reading.report(folder or ".", f"The folder cannot be read: {error.strerror}.", "Make it readable.")
    return sorted(found)


def _read_file(reading: _Reading, path: str) -> None:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(reading.root / path, flags)
    except OSError as error:
        if (reading.root / path).is_symlink():
            reading.report(path, "The file is a link.", "Put the file itself into the pack.")
        else:
            reading.report(path, f"The file cannot be read: {error.strerror}.", "Make it readable.")
        return
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            reading.report(path, "This is no plain file.", "Remove it from the pack.")
            return
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        message = f"The file has more than {MAX_FILE_BYTES:,} bytes."
        reading.report(path, message, "Split it, or leave out what is no text.")
        return
    reading.total += len(data)
    reading.files[path] = data
