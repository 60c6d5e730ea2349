"""Discussion with the panel on own evidence."""

from collections.abc import Mapping
from typing import Any

from toprope.progression.logic.authorities import panel
from toprope.progression.logic.requirement import Requirement
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """The panel's recorded decision says that it took place."""
    return panel(case).but(kind="panel_interview", title=f"A talk of {rule['minutes']} minutes with a panel")
