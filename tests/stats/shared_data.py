"""Where the real responses lie: beside the project, or nowhere (a user's clone has none)."""

import os
from pathlib import Path

import pytest

RESPONSES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "responses"


def responses_file(name: str) -> Path:
    """The file of real responses; where it is missing CI fails, and anybody else is told that the test did
    not run.
    """
    path = RESPONSES / name
    if not path.exists():
        message = f"{name} did not run: no real responses beside the project"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
