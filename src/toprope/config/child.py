"""The processes that `toprope serve` starts: web (pages, API, gateway), worker, echo provider.

Each ends by itself when the supervisor is gone, however it went: it waits on a pipe that only the supervisor
holds open.
"""

import os
import signal
import socket
import threading
from argparse import ArgumentParser
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from procrastinate.contrib.django.django_connector import DjangoConnector

DRAIN_SECONDS = 10


def watch_supervisor(pipe: int) -> None:
    """End this process, first asking nicely, as soon as nobody holds the other end of `pipe`."""

    def watch() -> None:
        os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(DRAIN_SECONDS + 5)
        os._exit(1)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def run_web(listener: int) -> None:
    """Pages, REST API and gateway, on a socket the supervisor has opened."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            "toprope.config.asgi:application",
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    server.run(sockets=[socket.socket(fileno=listener)])


def run_worker() -> None:
    """Background jobs."""
    from toprope.config.session import set_up_django

    set_up_django()
    from procrastinate.contrib.django import app

    connector = cast("DjangoConnector", app.connector).get_worker_connector()
    with app.replace_connector(connector):
        app.run_worker(name="toprope", shutdown_graceful_timeout=DRAIN_SECONDS, delete_jobs="successful")


def run_echo(port: int) -> None:
    """The echo provider, which says back what it is told."""
    from toprope.gateway.echo import run

    run("127.0.0.1", port)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("kind", choices=["web", "worker", "echo"])
    parser.add_argument("--pipe", type=int, required=True)
    parser.add_argument("--listener", type=int, default=-1)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    watch_supervisor(arguments.pipe)
    if arguments.kind == "web":
        run_web(arguments.listener)
    elif arguments.kind == "worker":
        run_worker()
    else:
        run_echo(arguments.port)


if __name__ == "__main__":
    main()
