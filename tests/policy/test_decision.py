"""The rules that protect: what stands against a call wins; nothing opens by being unknown or removed."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toprope.policy.access import Access, Grant, GrantState, Hold, Installation, Rung
from toprope.policy.decision import Call, Rule, admitted, decide

NOW = 1_800_000_000.0
YEAR = 31_536_000.0

LADDER = (
    Rung("R0", "Tutor in the sandbox", "tutor"),
    Rung("R1", "Chat without code context", "chat", ("R0",)),
    Rung("R3", "Chat with repository context", "repo_chat", ("R1",)),
    Rung("R4", "Edit and apply with review", "edit", ("R3",)),
    Rung("R5", "Agent in a sandbox", "agent_sandbox", ("R3",)),
    Rung("R6", "Agent through pull requests", "agent_pr", ("R4", "R5")),
)
INSTALLATION = Installation(
    ladder=LADDER,
    tools={"gpt-5": "R6", "gpt-5-mini": "R1", "claude-*": "R4", "claude-opus-*": "R6"},
    repositories={"web-shop": "R6", "payments": "R1"},
    base_url="https://toprope.example/",
)
CHAT = Call("chat", "gpt-5")
AGENT = Call("agent_pr", "gpt-5", "web-shop", because="the request offers tools (tools)")


def grant(rung: str = "R1", **changes: object) -> Grant:
    base = Grant(rung, GrantState.ACTIVE, "S4", NOW + YEAR)
    return msgspec.structs.replace(base, **changes)


def access(*grants: Grant, **missing: str) -> Access:
    return Access("9f1c0000-0000-7000-8000-000000000000", "Amara", grants, missing)


def rules(decision) -> list[Rule]:
    return [reason.rule for reason in decision.reasons]


def test_an_active_grant_lets_its_rung_through():
    decision = decide(access(grant()), INSTALLATION, CHAT, NOW)
    assert decision.allowed
    assert (decision.rung, decision.supervision) == ("R1", "S4")
    assert rules(decision) == [Rule.GRANTED]


def test_a_refusal_names_what_is_missing_and_the_page_that_opens_it():
    decision = decide(access(R1="level 1 in SEC-01, the redaction drill."), INSTALLATION, CHAT, NOW)
    assert not decision.allowed
    (reason,) = decision.reasons
    assert reason.rule is Rule.GRANT_MISSING
    assert reason.message == (
        "R1 (Chat without code context) is not open for you yet."
        " Missing: level 1 in SEC-01, the redaction drill."
    )
    assert reason.link == "https://toprope.example/ladder/R1/"


def test_a_refusal_says_what_in_the_request_asks_for_the_rung():
    (reason,) = decide(access(grant()), INSTALLATION, AGENT, NOW).reasons
    assert "because the request offers tools (tools)" in reason.message


def test_a_suspension_says_who_decided_why_and_until_when():
    why = {"reason": "Customer data in a prompt.", "decided_by": "Ben", "until": NOW}
    (reason,) = decide(access(grant(state=GrantState.SUSPENDED, **why)), INSTALLATION, CHAT, NOW).reasons
    assert reason.message == (
        "Your grant on R1 (Chat without code context) is suspended:"
        " Customer data in a prompt (decided by Ben). A decision is due by 2027-01-15."
    )


@pytest.mark.parametrize(
    ("person", "installation", "call", "expected"),
    [
        (None, INSTALLATION, CHAT, [Rule.PERSON_UNKNOWN]),
        (access(grant()), Installation(), CHAT, [Rule.CAPABILITY_UNKNOWN]),
        (access(grant()), INSTALLATION, Call("", "gpt-5"), [Rule.CAPABILITY_UNKNOWN]),
        (access(grant()), INSTALLATION, Call("mind_reading", "gpt-5"), [Rule.CAPABILITY_UNKNOWN]),
        (
            access(grant()),
            msgspec.structs.replace(INSTALLATION, ladder=(*LADDER, Rung("X", "Chat twice", "chat"))),
            CHAT,
            [Rule.CAPABILITY_UNKNOWN],
        ),
        (access(), INSTALLATION, CHAT, [Rule.GRANT_MISSING]),
        (access(grant("R6")), INSTALLATION, CHAT, [Rule.GRANT_MISSING]),
        (access(grant("R0"), grant("R4")), INSTALLATION, CHAT, [Rule.GRANT_MISSING]),
        (access(grant(state=GrantState.REVOKED)), INSTALLATION, CHAT, [Rule.GRANT_REVOKED]),
        (access(grant(expires_at=NOW)), INSTALLATION, CHAT, [Rule.GRANT_EXPIRED]),
        (access(grant(expires_at=-1e300)), INSTALLATION, CHAT, [Rule.GRANT_EXPIRED]),
        (access(grant(expires_at=float("nan"))), INSTALLATION, CHAT, [Rule.GRANT_EXPIRED]),
        (access(grant(supervision="S1")), INSTALLATION, CHAT, [Rule.GRANT_WATCH_ONLY]),
        (access(grant(supervision="S9")), INSTALLATION, CHAT, [Rule.SUPERVISION_UNKNOWN]),
        (access(grant(supervision="")), INSTALLATION, CHAT, [Rule.SUPERVISION_UNKNOWN]),
        (access(grant()), INSTALLATION, Call("chat", "llama"), [Rule.TOOL_NOT_ADMITTED]),
        (access(grant()), INSTALLATION, Call("chat", ""), [Rule.TOOL_NOT_ADMITTED]),
        (access(grant("R6")), INSTALLATION, replace(AGENT, model="gpt-5-mini"), [Rule.TOOL_CEILING]),
        (access(grant("R6")), INSTALLATION, replace(AGENT, model="claude-haiku"), [Rule.TOOL_CEILING]),
        (access(grant("R6")), INSTALLATION, replace(AGENT, repository=""), [Rule.REPOSITORY_MISSING]),
        (access(grant("R6")), INSTALLATION, replace(AGENT, repository="other"), [Rule.REPOSITORY_NOT_LISTED]),
        (access(grant("R6")), INSTALLATION, replace(AGENT, repository="payments"), [Rule.REPOSITORY_CEILING]),
        (access(grant()), INSTALLATION, replace(CHAT, repository="other"), [Rule.REPOSITORY_NOT_LISTED]),
        (
            access(grant(state=GrantState.SUSPENDED, expires_at=NOW, supervision="S1")),
            msgspec.structs.replace(INSTALLATION, holds=(Hold("R1", "leak", "Gita"),)),
            replace(CHAT, model="llama", repository="other"),
            [
                Rule.RUNG_ON_HOLD,
                Rule.GRANT_SUSPENDED,
                Rule.GRANT_EXPIRED,
                Rule.GRANT_WATCH_ONLY,
                Rule.TOOL_NOT_ADMITTED,
                Rule.REPOSITORY_NOT_LISTED,
            ],
        ),
    ],
)
def test_each_thing_that_stands_against_a_call_is_told(person, installation, call, expected):
    decision = decide(person, installation, call, NOW)
    assert not decision.allowed
    assert rules(decision) == expected
    assert all(
        r.message.endswith((".", "none.")) and r.link.startswith("https://") for r in decision.reasons
    ) or (installation == Installation())


def test_the_longest_pattern_decides_on_a_model():
    assert decide(access(grant("R6")), INSTALLATION, replace(AGENT, model="claude-opus-5"), NOW).allowed


def test_a_ladder_that_goes_in_circles_still_gives_an_answer():
    ladder = (Rung("A", "a", "chat", ("B",)), Rung("B", "b", "edit", ("A",)))
    assert admitted(ladder, "A") == {"A", "B"}
    assert admitted(ladder, "C") == frozenset()


# Property-based: any well-formed documents on the ladder above.

rung_ids = st.sampled_from([rung.id for rung in LADDER])
grants_of_a_rung = st.builds(
    Grant,
    rung=rung_ids,
    state=st.sampled_from(GrantState),
    supervision=st.sampled_from(["", "S1", "S2", "S3", "S4", "S5", "S6"]),
    expires_at=st.floats(NOW - YEAR, NOW + YEAR),
)
people = st.lists(grants_of_a_rung, max_size=8, unique_by=lambda g: g.rung).map(lambda found: access(*found))
models = st.sampled_from(["m-low", "m-mid", "m-high", "unlisted"])
repositories = st.sampled_from(["", "low", "mid", "high", "unlisted"])
ceilings = st.sampled_from([*(rung.id for rung in LADDER), "R99", ""])
installations = st.builds(
    Installation,
    ladder=st.just(LADDER),
    tools=st.dictionaries(st.sampled_from(["m-low", "m-mid", "m-high", "m-*"]), ceilings),
    repositories=st.dictionaries(st.sampled_from(["low", "mid", "high"]), ceilings),
    holds=st.lists(st.builds(Hold, rung_ids, st.just("reason"), st.just("Gita")), max_size=2).map(tuple),
    base_url=st.just("https://toprope.example"),
)
calls = st.builds(
    Call,
    capability=st.sampled_from([*(rung.capability for rung in LADDER), "unknown"]),
    model=models,
    repository=repositories,
)


def chain_downs(ceiling: str) -> set[str]:
    """The down-set by brute force: every path of the ladder that ends at `ceiling`."""
    edges = {(rung.id, before) for rung in LADDER for before in rung.after}
    found = {ceiling} & {rung.id for rung in LADDER}
    while (more := found | {below for above, below in edges if above in found}) != found:
        found = more
    return found


@given(people, installations, calls)
def test_allowed_is_exactly_the_meeting_of_the_three_ceilings_without_the_holds(person, installation, call):
    by_person = {g.rung for g in person.grants if stands(g)}
    limit = installation.tools.get(call.model)
    if limit is None and call.model.startswith("m-"):
        limit = installation.tools.get("m-*")
    by_tool = chain_downs(limit) if limit is not None else set()
    if call.repository:
        allowed_there = installation.repositories.get(call.repository)
        by_repository = chain_downs(allowed_there) if allowed_there is not None else set()
    else:
        by_repository = {"R1"}
    effective = (by_person & by_tool & by_repository) - {hold.rung for hold in installation.holds}
    needed = {rung.id for rung in LADDER if rung.capability == call.capability}
    decision = decide(person, installation, call, NOW)
    assert decision.allowed == bool(needed & effective)
    assert decision.reasons


def stands(g: Grant) -> bool:
    return g.state == "active" and g.expires_at > NOW and g.supervision in ("S2", "S3", "S4", "S5")


passing = st.sampled_from([("R1", CHAT), ("R1", replace(CHAT, repository="payments")), ("R6", AGENT)])


@given(passing, people, grants_of_a_rung.filter(lambda g: not stands(g)), st.data())
def test_one_grant_that_does_not_stand_closes_its_rung_whatever_else_is_granted(case, person, fallen, data):
    rung, call = case
    others = [g for g in person.grants if g.rung != rung]
    open_for = access(*data.draw(st.permutations([*others, grant(rung)])))
    assert decide(open_for, INSTALLATION, call, NOW).allowed
    fallen = msgspec.structs.replace(fallen, rung=rung)
    closed_for = access(*data.draw(st.permutations([*open_for.grants, fallen])))
    assert not decide(closed_for, INSTALLATION, call, NOW).allowed


@given(passing, st.lists(rung_ids, max_size=3), st.data())
def test_a_hold_always_wins(case, others, data):
    rung, call = case
    held = data.draw(st.permutations([rung, *others]))
    holds = tuple(Hold(name, "incident", "Gita") for name in held)
    decision = decide(access(grant(rung)), msgspec.structs.replace(INSTALLATION, holds=holds), call, NOW)
    assert not decision.allowed
    assert set(rules(decision)) == {Rule.RUNG_ON_HOLD}


@given(installations, calls)
def test_without_a_grant_nothing_passes(installation, call):
    assert not decide(access(), installation, call, NOW).allowed
    assert not decide(None, installation, call, NOW).allowed


@given(people, installations, calls, st.data())
def test_taking_a_grant_away_never_opens_anything(person, installation, call, data):
    kept = data.draw(st.lists(st.sampled_from(person.grants), unique=True)) if person.grants else []
    fewer = msgspec.structs.replace(person, grants=tuple(kept))
    if decide(fewer, installation, call, NOW).allowed:
        assert decide(person, installation, call, NOW).allowed


@given(people, installations, calls, st.lists(st.floats(NOW, NOW + 3 * YEAR), min_size=2))
def test_time_alone_never_opens_anything(person, installation, call, moments):
    for earlier, later in pairwise(sorted(moments)):
        if decide(person, installation, call, later).allowed:
            assert decide(person, installation, call, earlier).allowed


@given(people, installations, calls, st.data())
def test_taking_a_line_off_a_ceiling_never_opens_a_call_without_a_pattern(person, installation, call, data):
    without_patterns = {name: limit for name, limit in installation.tools.items() if not name.endswith("*")}
    listed = msgspec.structs.replace(installation, tools=without_patterns)
    kept = data.draw(st.lists(st.sampled_from(sorted(without_patterns)))) if without_patterns else []
    fewer = msgspec.structs.replace(listed, tools={name: without_patterns[name] for name in kept})
    if decide(person, fewer, call, NOW).allowed:
        assert decide(person, listed, call, NOW).allowed
