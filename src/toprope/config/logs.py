"""How log lines look on the terminal of `toprope serve`."""

import logging

import psycopg


class Lines(logging.Formatter):
    """One line for each event; a traceback where one helps. It does not where the database has gone away."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and _database_is_gone(record.exc_info[1]):
            said = " ".join(record.getMessage().split())
            return (
                f"{self.formatTime(record)} {record.levelname} {record.name}: {said} (the database is gone)"
            )
        return super().format(record)


def _database_is_gone(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, psycopg.OperationalError):
            return True
        error = error.__cause__
    return False
