"""Background jobs of the statements."""

from procrastinate.contrib.django import app

from toprope.evidence.api import ensure_partitions


@app.periodic(cron="17 3 * * *")
@app.task(name="evidence.make_partitions", queueing_lock="evidence.make_partitions", pass_context=False)
def make_partitions(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes when it was due
    """Once a day, see to it that the coming months have their partitions."""
    ensure_partitions()
