"""A whole climb as statements, rung by rung, without a database: what tests of pure rules start from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.frameworks import builtin_framework

from toprope.evidence.statement import TOPROPE, Context, Object, ObjectType, Result, Statement, Verb
from toprope.progression.logic import Catalogue, LevelHeld, Situation, UseDay, read_history

FRAMEWORK = builtin_framework()
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
FAR = datetime(2036, 1, 1, tzinfo=UTC)
PERSON = UUID(int=1)
MENTORS = tuple(UUID(int=number) for number in range(2, 8))
CATALOGUE = Catalogue({}, {}, {})


@dataclass
class Ingredient:
    """One thing a rung asks for: the statements, or the uses, that show it."""

    rung: str
    what: str
    statements: list[Statement] = field(default_factory=list)
    uses: dict[str, tuple[UseDay, ...]] = field(default_factory=dict)


def statement(number: int, verb: Verb, subject: Object, at: datetime, **fields) -> Statement:
    context = fields.pop("context", {})
    return Statement(
        id=UUID(int=number),
        actor=PERSON,
        verb=verb,
        object=subject,
        timestamp=at,
        authority=str(fields.pop("by", TOPROPE)),
        result=Result(**fields) if fields else None,
        context=Context(framework=FRAMEWORK.reference, **context),
    )


def rating(  # noqa: PLR0917 - a table of ratings reads better without names
    number, rubric, level, competency, by, at, *, score=3, errors=(), attempt=None
) -> Statement:
    criteria = FRAMEWORK.rubrics[rubric]["criteria"]
    scores = score if isinstance(score, dict) else {each["id"]: score for each in criteria}
    return statement(
        number,
        Verb.WAS_RATED,
        Object(ObjectType.RUBRIC, rubric),
        at,
        by=by,
        response={"scores": scores},
        detail={"critical_errors": list(errors)},
        context={
            "competency": competency,
            "level": level,
            "kind": "rubric_assessment",
            "sitting": attempt or UUID(int=number - number % 10),
        },
    )


def note(number, rung, by, at, *, supervision="S4", competencies=None) -> Statement:
    return statement(
        number,
        Verb.WAS_OBSERVED,
        Object(ObjectType.RUNG, rung),
        at,
        by=by,
        response="Seen.",
        detail={"supervision": supervision, "competencies": competencies or {}},
        context={"rung": rung, "kind": "work_note"},
    )


def decision(number, verb, rung, by, at, **detail) -> Statement:
    return statement(
        number,
        verb,
        Object(ObjectType.RUNG, rung),
        at,
        by=by,
        response="A reason.",
        detail=detail,
        context={"rung": rung},
    )


def held(competency: str, level: int, **fields) -> LevelHeld:
    values = {
        "awarded_at": START - timedelta(days=1),
        "renewed_at": START - timedelta(days=1),
        "provisional": False,
        "framework": FRAMEWORK.reference,
        "refresh_by": FAR,
        "lapses_at": FAR,
        "evidence": (UUID(int=99),),
    }
    return LevelHeld(competency, level, **{**values, **fields})


def all_levels(**fields) -> dict[tuple[str, int], LevelHeld]:
    return {(key, 4): held(key, 4, **fields) for key in FRAMEWORK.competencies}


def whole_climb() -> list[Ingredient]:
    """Everything that every rung asks for but the levels, each in its own ingredient, in order of time."""
    return [each for number, rung in enumerate(FRAMEWORK.rungs.values()) for each in _rung(number, rung)]


def _rung(number: int, rung) -> Iterable[Ingredient]:
    base, at = (number + 1) * 10_000, START + timedelta(hours=number)
    for index, rule in enumerate(rung.validations):
        yield _validation(base + index * 100, rung, rule, at + timedelta(minutes=index))
    decided = at + timedelta(minutes=30)
    authorities = {rung.decision, rung.decision_also}
    if authorities & {"mentor", "mentor_plus_security"}:
        made = decision(
            base + 5_000, Verb.WAS_APPROVED, rung.key, MENTORS[0], decided, parts=["mentor"], founding=False
        )
        yield Ingredient(rung.key, "mentor", [made])
    if "mentor_plus_security" in authorities:
        decided += timedelta(minutes=1)
        made = decision(
            base + 5_001, Verb.WAS_APPROVED, rung.key, MENTORS[1], decided, parts=["security"], founding=False
        )
        yield Ingredient(rung.key, "security", [made])


def _validation(number: int, rung, rule, at: datetime) -> Ingredient:
    made = Ingredient(rung.key, rule["type"])
    kind = rule["type"]
    if kind == "policy_accepted":
        made.statements = [statement(number, Verb.ACCEPTED, Object(ObjectType.POLICY, "p", "1.0.0"), at)]
    elif kind == "automatic":
        asked = rule["mixed_items"]
        detail = {"asked": asked, "drawn": asked, "pool": 100}
        context = {"rung": rung.key, "kind": "mixed_items"}
        sitting = Object(ObjectType.SITTING, f"mixed:{rung.key}")
        made.statements = [
            statement(number, Verb.COMPLETED, sitting, at, score=1.0, detail=detail, context=context)
        ]
    elif kind == "scenario":
        drill = Object(ObjectType.PRACTICAL, rule["id"])
        context = {"competency": "SEC-01", "level": 1, "kind": "sandbox_session"}
        made.statements = [statement(number, Verb.COMPLETED, drill, at, score=1.0, context=context)]
    elif kind == "flaw_hunt":
        hunt = Object(ObjectType.PRACTICAL, "a-hunt")
        context = {"competency": "FND-01", "level": 1, "kind": "flaw_hunt"}
        detail = {"flawed": rule["flaws"]}
        made.statements = [
            statement(number, Verb.COMPLETED, hunt, at, score=0.8, detail=detail, context=context)
        ]
    elif kind == "practical_exam":
        rubric = rule["rubric"]
        competency = FRAMEWORK.rubrics[rubric]["competencies"][0]
        raters = (FRAMEWORK.levels[rule["level"] - 1].validation.rubric or FRAMEWORK.rubric_passes[2]).raters
        made.statements = [
            rating(
                number + each,
                rubric,
                rule["level"],
                competency,
                MENTORS[each],
                at + timedelta(seconds=each),
                attempt=UUID(int=number),
            )
            for each in range(raters)
        ]
    elif kind == "mentor_signoff":
        made.statements = [
            note(number + each, rung.key, MENTORS[each % rule["supervisors"]], at + timedelta(seconds=each))
            for each in range(rule["notes"])
        ]
    elif kind == "panel_interview":
        members = [
            {"person": str(MENTORS[each]), "supervises": each < 2, "other_team": each == 2}
            for each in range(3)
        ]
        made.statements = [
            decision(number, Verb.WAS_APPROVED, rung.key, MENTORS[5], at, parts=["panel"], members=members)
        ]
    elif kind == "data_owner_approval":
        detail = {"parts": ["data_owner"], "purpose": "A migration.", "hours": rule["hours"]}
        made.statements = [
            decision(number, Verb.WAS_APPROVED, rung.key, MENTORS[5], at + timedelta(minutes=40), **detail)
        ]
    elif kind == "recency":
        times = tuple(START + timedelta(minutes=each) for each in range(rule["uses"]))
        ids = tuple(UUID(int=1_000_000 + each) for each in range(rule["uses"]))  # of this rung
        day = UseDay(START.date(), rule["uses"], "", times, ids)
        made.uses = {rule["rung"]: (day,)}
    return made


def situation(
    ingredients: Iterable[Ingredient],
    now: datetime = START + timedelta(hours=10),
    *,
    levels=None,
    more: Iterable[Statement] = (),
    policy: str = "1.0.0",
) -> Situation:
    ingredients = list(ingredients)
    statements = [*(one for each in ingredients for one in each.statements), *more]
    uses: dict[str, tuple[UseDay, ...]] = {}
    for each in ingredients:
        for rung, days in each.uses.items():
            uses[rung] = max(uses.get(rung, ()), days, key=lambda found: sum(day.count for day in found))
    return Situation(
        FRAMEWORK,
        read_history(statements),
        all_levels() if levels is None else levels,
        CATALOGUE,
        policy,
        now,
        uses,
    )
