"""Things that answer where a database should: outside parties, as little of them as their protocol needs."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a free port that treats each connection with `answer`; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def say_http(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    connection.recv(1024)


def message(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return kind + struct.pack("!i", len(body) + 4) + body


def refuse(sqlstate: bytes, text: bytes) -> Callable[[socket.socket], None]:
    """A PostgreSQL that asks for the password and then refuses."""

    def answer(connection: socket.socket) -> None:
        _greet(connection)
        connection.sendall(message(b"R", struct.pack("!i", 3)))
        connection.recv(1024)
        fields = b"SFATAL\0VFATAL\0C" + sqlstate + b"\0M" + text + b"\0\0"
        connection.sendall(message(b"E", fields))

    return answer


def be_postgresql(version: bytes, banner: bytes) -> Callable[[socket.socket], None]:
    """A PostgreSQL of this version, or what talks like one; it answers every query with its name."""

    def answer(connection: socket.socket) -> None:
        _greet(connection)
        connection.sendall(
            message(b"R", struct.pack("!i", 0))
            + message(b"S", b"server_version\0" + version + b"\0")
            + message(b"S", b"client_encoding\0UTF8\0")
            + message(b"Z", b"I")
        )
        while connection.recv(4096):
            columns = b"".join(
                name + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0) for name in (b"version\0", b"user\0")
            )
            values = struct.pack("!i", len(banner)) + banner + struct.pack("!i", 2) + b"me"
            connection.sendall(
                message(b"T", struct.pack("!h", 2), columns)
                + message(b"D", struct.pack("!h", 2), values)
                + message(b"C", b"SELECT 1\0")
                + message(b"Z", b"I")
            )

    return answer


def _greet(connection: socket.socket) -> None:
    """Take the start-up message; say no to encryption before it."""
    while True:
        (length,) = struct.unpack("!i", connection.recv(4, socket.MSG_WAITALL))
        body = connection.recv(length - 4, socket.MSG_WAITALL)
        (code,) = struct.unpack("!i", body[:4])
        if code not in (SSL_REQUEST, GSS_REQUEST):
            return
        connection.sendall(b"N")
