"""A house of empty rooms: every module of the real one by name, to plant trespasses in."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class House:
    """A copy to do things to."""

    root: Path

    def plant(self, module: str, line: str) -> None:
        path = self.root / "src" / Path(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(line + "\n")

    def broken_contracts(self) -> set[str]:
        """The names of the contracts that the linter finds broken here."""
        outcome = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
            cwd=self.root,
            env={"PYTHONPATH": str(self.root / "src"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = outcome.stdout.splitlines()
        assert any(line.startswith("Contracts: ") for line in lines), outcome.stdout + outcome.stderr
        broken = {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}
        assert bool(broken) == bool(outcome.returncode)
        return broken


@pytest.fixture
def house(tmp_path: Path) -> House:
    for path in (ROOT / "src" / "toprope").rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return House(tmp_path)
