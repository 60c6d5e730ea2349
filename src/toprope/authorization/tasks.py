"""Background jobs of the authorization stage."""

from procrastinate.contrib.django import app

from toprope.authorization.api import follow_statements, publish_stale
from toprope.kit.clock import now


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="follow_everybody", pass_context=False)
def follow_everybody(timestamp: int) -> int:
    """Once a minute: bring everybody's levels and grants up to the last statement, and to the hour."""
    del timestamp  # procrastinate tells when the job was due
    return follow_statements(now()) + publish_stale(now())
