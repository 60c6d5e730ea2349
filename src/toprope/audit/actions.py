"""Writes to the audit record."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from toprope.audit.logic import EntryError, Receipt, write_payload
from toprope.audit.queries import witness_directory
from toprope.kit.witness import Witness

_logger = logging.getLogger(__name__)


def record_entry(
    tag: str, *, actor: UUID | str, subject: str, detail: Mapping[str, Any], now: datetime
) -> Receipt:
    """Append an entry within the caller's transaction: both become durable together, or neither does.

    From here to the end of the transaction everybody else who writes to the record waits; so do this last.
    """
    payload = write_payload(tag, actor, subject, detail, now)
    try:
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT seq, hash FROM audit_append(%s)", [payload])
            seq, hash_ = cursor.fetchone()
    except (DataError, IntegrityError) as error:
        raise EntryError(f"the audit record refuses the entry {tag}: {str(error).splitlines()[0]}") from error
    receipt = Receipt(seq, bytes(hash_))
    tell_witness(receipt)
    return receipt


def tell_witness(receipt: Receipt) -> None:
    """Once the running transaction is committed, have this process's witness remember its newest entry."""
    transaction.on_commit(lambda: _bear_witness(receipt))


def _bear_witness(receipt: Receipt) -> None:
    """A witness that cannot write must not undo what is committed; it is told to the operator instead."""
    directory = witness_directory()
    try:
        _witness(directory).saw(receipt.seq, receipt.hash)
    except (OSError, ValueError) as error:
        _logger.error(  # noqa: TRY400 - the message is complete; a traceback would hide it
            "The witness in %s could not be written (%s). Entries are recorded, but cutting off the tail of"
            " the audit record would go unnoticed. Free space there, or make the directory writable.",
            directory,
            error,
        )


@lru_cache(maxsize=8)
def _witness(directory: Path) -> Witness:
    return Witness(directory)
