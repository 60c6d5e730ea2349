"""In CI a skipped test is a failed one: whatever it needs must be installed there."""

import pytest
from tests.conftest import _refuse_skip


def skipped(outcome="skipped", **more):
    report = pytest.TestReport("x", ("x.py", 1, "x"), {}, outcome, ("x.py", 1, "Skipped: no browser"), "call")
    vars(report).update(more)
    return report


@pytest.mark.parametrize(
    ("ci", "report", "outcome"),
    [
        ("true", skipped(), "failed"),
        ("", skipped(), "skipped"),
        ("true", skipped(wasxfail="known"), "skipped"),
        ("true", skipped("passed"), "passed"),
    ],
)
def test_a_skip_is_refused_in_ci_only(monkeypatch, ci, report, outcome):
    monkeypatch.setenv("CI", ci)
    refused = _refuse_skip(report)
    assert refused.outcome == outcome
    if outcome == "failed":
        assert str(refused.longrepr).startswith("Skipped: no browser")
