"""Starting things, and seeing what runs."""

import click

from toprope.config.progress import progress_bar

HOST, PORT = "127.0.0.1", 8000


@click.command()
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--demo/--no-demo",
    default=False,
    show_default=True,
    help="Create the demo organisation where there is none yet.",
)
def serve(*, host: str, port: int, demo: bool) -> None:
    """Serve pages, REST API and gateway; everything this needs is started too.

    Starts the built-in PostgreSQL unless DATABASE_URL is set, brings its tables up to date, loads the
    built-in framework, starts the web and worker processes (and, without TOPROPE_PROVIDER_URL, the echo
    provider), and starts again what dies. Stops on Ctrl-C or SIGTERM, after the requests it is answering.

    \b
    Examples:
      toprope serve --demo
      toprope serve --port 9000
      TOPROPE_BASE_URL=https://toprope.example.org toprope serve --host 0.0.0.0
    """
    from toprope.config.supervisor import Supervisor

    Supervisor(host=host, port=port, demo=demo).run()


@click.command()
def migrate() -> None:
    """Bring the database's tables up to date, and give the application's role what it needs.

    `toprope serve` does this by itself. With DATABASE_ADMIN_URL set, the work is done as that role.

    \b
    Examples:
      toprope migrate
      DATABASE_URL=postgresql://app:...@db/toprope DATABASE_ADMIN_URL=postgresql://owner:...@db/toprope \\
        toprope migrate
    """
    from toprope.config.database import APP_ROLE, check_database, configured
    from toprope.config.prepare import guard, tell
    from toprope.config.prepare import migrate as bring_up_to_date
    from toprope.config.session import open_installation

    setting = configured()
    app_user = check_database(setting.app).user if setting else APP_ROLE
    with open_installation(owner=True):
        bring_up_to_date(tell)
        guard(app_user, tell)


@click.command()
def demo() -> None:
    """Create the demo organisation in an installation that has no organisation yet.

    \b
    Example:
      toprope demo
    """
    from toprope.config.session import open_installation

    with open_installation():
        from django.db import transaction

        from toprope.config.demo import create_demo
        from toprope.kit.clock import now
        from toprope.people.api import get_organisation

        there = get_organisation()
        if there is not None:
            raise click.ClickException(
                f"This installation serves {there.name} already; a demo needs a TOPROPE_HOME of its own."
            )
        with progress_bar("Demo") as progress, transaction.atomic():
            create_demo(now(), progress)
        click.echo("The demo organisation is there. Look around: toprope serve")


@click.command("echo-provider")
@click.option(
    "--port", default=8001, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
def echo_provider(*, port: int) -> None:
    """Run the echo provider: it speaks a model provider's protocol and says back what it is told.

    For trying out without a provider; `toprope serve` starts one by itself where TOPROPE_PROVIDER_URL is not
    set. Stops on Ctrl-C.

    \b
    Example:
      toprope echo-provider --port 8001
    """
    from toprope.gateway.echo import run

    click.echo(f"The echo provider answers at http://127.0.0.1:{port}/v1; it is no model.", err=True)
    run("127.0.0.1", port)


@click.command()
def status() -> None:
    """Say what runs, where the data are, which versions, and how far the audit record has come.

    \b
    Example:
      toprope status
    """
    from toprope.config.session import open_installation
    from toprope.config.status import describe

    with open_installation() as address:
        for topic, text in describe(address):
            click.echo(f"{topic:<12} {text}")
