"""May this call pass? Two documents and the clock go in, a decision with its reasons comes out. Pure.

The effective rung is the lowest of three: what the person was granted, what the tool is admitted for and what
the repository allows; and no hold stands. A grant opens its own rung and no other, because each rung below
was granted, and can be suspended, by itself. A ceiling (of a tool, of a repository) admits its rung and all
that come before it. Whatever the documents do not say is refused.

A grant's tiers and data classes are not looked at here: the snapshot does not say yet which tier a repository
has, nor the request which data it carries.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from toprope.policy.access import Access, Grant, GrantState, Hold, Installation, Rung

WITHOUT_REPOSITORY = frozenset({"chat"})
"""Capabilities that may be used without naming a repository."""

WATCHED = "S1"
"""The supervision level that lets nothing through: the person watches."""

SUPERVISED = frozenset({"S2", "S3", "S4", "S5"})
"""The supervision levels under which a grant lets calls through."""

_MODELS_SHOWN = 12


class Rule(StrEnum):
    """What a decision rests on: the key in the error's `code` and in the audit record."""

    GRANTED = "grant.active"
    PERSON_UNKNOWN = "person.unknown"
    CAPABILITY_UNKNOWN = "capability.unknown"
    GRANT_MISSING = "grant.missing"
    GRANT_SUSPENDED = "grant.suspended"
    GRANT_REVOKED = "grant.revoked"
    GRANT_EXPIRED = "grant.expired"
    GRANT_WATCH_ONLY = "grant.watch_only"
    SUPERVISION_UNKNOWN = "grant.supervision_unknown"
    RUNG_ON_HOLD = "rung.on_hold"
    TOOL_NOT_ADMITTED = "tool.not_admitted"
    TOOL_CEILING = "tool.ceiling"
    REPOSITORY_MISSING = "repository.missing"
    REPOSITORY_NOT_LISTED = "repository.not_listed"
    REPOSITORY_CEILING = "repository.ceiling"


@dataclass(frozen=True, slots=True)
class Call:
    """A call as far as it decides. `because` says, for people, what made it this capability."""

    capability: str
    model: str
    repository: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke: its key, a sentence for the person who called, the page that opens the way."""

    rule: Rule
    message: str
    link: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the call may pass, on which rung, under which supervision, and why. Never without a reason."""

    allowed: bool
    rung: str
    supervision: str
    reasons: tuple[Reason, ...]


def admitted(ladder: Iterable[Rung], ceiling: str) -> frozenset[str]:
    """The rungs that a ceiling admits: its own and all that come before it; none if the ladder lacks it."""
    before = {rung.id: rung.after for rung in ladder}
    open_ends = [ceiling]
    found: set[str] = set()
    while open_ends:
        rung = open_ends.pop()
        if rung in before and rung not in found:
            found.add(rung)
            open_ends.extend(before[rung])
    return frozenset(found)


def find_ceiling(tools: dict[str, str], model: str) -> str | None:
    """The ceiling of a model: its own line, else the longest line ending in ``*`` that it begins with."""
    if model in tools:
        return tools[model]
    fitting = [name for name in tools if name.endswith("*") and model.startswith(name[:-1])]
    return tools[max(fitting, key=len)] if fitting else None


def decide(access: Access | None, installation: Installation, call: Call, now: float) -> Decision:
    """Decide one call. `now` is in seconds since the Unix epoch, as the documents are."""
    base = installation.base_url.rstrip("/")
    if access is None:
        unknown = Reason(
            Rule.PERSON_UNKNOWN, "This key belongs to nobody that Toprope knows.", f"{base}/keys/"
        )
        return Decision(allowed=False, rung="", supervision="", reasons=(unknown,))
    carrying = [rung for rung in installation.ladder if rung.capability == call.capability]
    if len(carrying) != 1:
        found = "no rung" if not carrying else "more than one rung"
        message = f"The ladder has {found} for what this call does ({call.capability or 'unknown'})."
        unclear = Reason(Rule.CAPABILITY_UNKNOWN, message, f"{base}/ladder/")
        return Decision(allowed=False, rung="", supervision="", reasons=(unclear,))
    rung = carrying[0]
    link = f"{base}/ladder/{rung.id}/"
    grants = [grant for grant in access.grants if grant.rung == rung.id]
    supervision = grants[0].supervision if grants else ""
    refusals = tuple(
        Reason(rule, message, link)
        for rule, message in (
            *_check_holds(installation.holds, rung),
            *_check_grants(grants, access.missing.get(rung.id, ""), rung, call, now),
            *_check_tool(installation, rung, call),
            *_check_repository(installation, rung, call),
        )
    )
    if refusals:
        return Decision(allowed=False, rung=rung.id, supervision=supervision, reasons=refusals)
    granted = Reason(Rule.GRANTED, f"{_title(rung)} is granted under supervision {supervision}.", link)
    return Decision(allowed=True, rung=rung.id, supervision=supervision, reasons=(granted,))


def _check_holds(holds: Iterable[Hold], rung: Rung) -> Iterator[tuple[Rule, str]]:
    for hold in holds:
        if hold.rung == rung.id:
            yield (
                Rule.RUNG_ON_HOLD,
                f"{_title(rung)} is on hold for everybody{_because(hold.reason, hold.decided_by)}.",
            )


def _check_grants(
    grants: list[Grant], missing: str, rung: Rung, call: Call, now: float
) -> Iterator[tuple[Rule, str]]:
    """Every grant on the rung has to let the call through; with none, nothing does."""
    if not grants:
        why = f" This call needs it because {call.because}." if call.because else ""
        asked = f" Missing: {missing.rstrip('.')}." if missing else " The page below says what it asks for."
        yield Rule.GRANT_MISSING, f"{_title(rung)} is not open for you yet.{why}{asked}"
    for grant in grants:
        yield from _check_grant(grant, rung, now)


def _check_grant(grant: Grant, rung: Rung, now: float) -> Iterator[tuple[Rule, str]]:
    if grant.state is GrantState.SUSPENDED:
        until = f" A decision is due by {_day(grant.until)}." if grant.until else ""
        why = _because(grant.reason, grant.decided_by)
        yield Rule.GRANT_SUSPENDED, f"Your grant on {_title(rung)} is suspended{why}.{until}"
    elif grant.state is not GrantState.ACTIVE:
        yield (
            Rule.GRANT_REVOKED,
            f"Your grant on {_title(rung)} was withdrawn{_because(grant.reason, grant.decided_by)}.",
        )
    if not now < grant.expires_at:
        yield Rule.GRANT_EXPIRED, f"Your grant on {_title(rung)} expired on {_day(grant.expires_at)}."
    if grant.supervision == WATCHED:
        yield (
            Rule.GRANT_WATCH_ONLY,
            f"Your grant on {_title(rung)} is at supervision S1: you watch; calls do not pass.",
        )
    elif grant.supervision not in SUPERVISED:
        yield (
            Rule.SUPERVISION_UNKNOWN,
            f"Your grant on {_title(rung)} names a supervision level that does not exist.",
        )


def _check_tool(installation: Installation, rung: Rung, call: Call) -> Iterator[tuple[Rule, str]]:
    ceiling = find_ceiling(installation.tools, call.model)
    if ceiling is None:
        names = sorted(
            name
            for name, limit in installation.tools.items()
            if rung.id in admitted(installation.ladder, limit)
        )
        shown = ", ".join(names[:_MODELS_SHOWN]) + (", ..." if len(names) > _MODELS_SHOWN else "")
        yield (
            Rule.TOOL_NOT_ADMITTED,
            f"The model {call.model!r} is not admitted here. Admitted for {rung.id}: {shown or 'none'}.",
        )
    elif rung.id not in admitted(installation.ladder, ceiling):
        yield (
            Rule.TOOL_CEILING,
            f"The model {call.model!r} is admitted up to rung {ceiling}; this call is {_title(rung)}.",
        )


def _check_repository(installation: Installation, rung: Rung, call: Call) -> Iterator[tuple[Rule, str]]:
    if not call.repository:
        if call.capability not in WITHOUT_REPOSITORY:
            yield (
                Rule.REPOSITORY_MISSING,
                f"{_title(rung)} asks which repository the call works on: header x-toprope-repository.",
            )
        return
    ceiling = installation.repositories.get(call.repository)
    if ceiling is None:
        yield (
            Rule.REPOSITORY_NOT_LISTED,
            f"The repository {call.repository!r} is not listed here; its owner has to set what it allows.",
        )
    elif rung.id not in admitted(installation.ladder, ceiling):
        yield (
            Rule.REPOSITORY_CEILING,
            f"The repository {call.repository!r} allows up to rung {ceiling}; this call is {_title(rung)}.",
        )


def _title(rung: Rung) -> str:
    return f"{rung.id} ({rung.name})"


def _because(reason: str, decided_by: str) -> str:
    said = f": {reason.rstrip('.')}" if reason else ""
    return f"{said} (decided by {decided_by})" if decided_by else said


def _day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "a date that cannot be read"
