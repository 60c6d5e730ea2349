"""Background jobs of the measurement stage."""

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="refresh_stale_estimates", pass_context=False)
def refresh_stale_estimates(timestamp: int) -> int:
    """Once a minute: fold anew what rests on an earlier basis; hardly ever is there anything to do."""
    # Here, for every command finds the tasks, and few of them need the numbers that come with this.
    from toprope.measurement.api import refresh_stale

    del timestamp  # procrastinate tells when the job was due
    return refresh_stale()
