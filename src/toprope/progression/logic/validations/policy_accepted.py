"""The person has read and accepted the policy version in force."""

from collections.abc import Mapping
from typing import Any

from toprope.progression.logic.history import POLICY
from toprope.progression.logic.periods import Period
from toprope.progression.logic.requirement import Requirement, Status
from toprope.progression.logic.situation import RungCase


def check(case: RungCase, rule: Mapping[str, Any]) -> Requirement:
    """Met from the first acceptance on; a new version has to be accepted for the grant to stay open."""
    del rule
    accepted = [piece for piece in case.history.pieces if piece.kind == POLICY]
    requirement = Requirement(
        POLICY, "Acceptable-use policy", Status.MISSING, "Read it and accept it.", step="policy", lasting=True
    )
    if not accepted:
        return requirement
    requirement = requirement.but(periods=(Period(min(piece.timestamp for piece in accepted)),))
    in_force = [piece for piece in accepted if piece.version == case.situation.policy_version]
    if in_force:
        return case.met(requirement, in_force[0], f"Version {in_force[0].version} accepted.")
    return requirement.but(status=Status.EXPIRED, detail="There is a new version to accept.")
