"""Background jobs of the authorization stage."""

from procrastinate.contrib.django import app

from toprope.kit.clock import now


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="follow_everybody", pass_context=False)
def follow_everybody(timestamp: int) -> int:
    """Once a minute: bring everybody's levels and grants up to the last statement, and to the hour."""
    # Here, for every command finds the tasks, and few of them need the numbers that come with this.
    from toprope.authorization.api import follow_statements, publish_stale

    del timestamp  # procrastinate tells when the job was due
    return follow_statements(now()) + publish_stale(now())
