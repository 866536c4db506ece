# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the simulator can't be: a proxy that takes CONNECT, and a server scripted byte by byte."""

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

from tests.simulators.certs import Certificate


class _Listener:
    """Accepts connections on the loopback address, one thread each."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for sock in self._open:
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            thread = threading.Thread(target=self._guarded, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _guarded(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.serve(sock)

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError


def read_head(sock: socket.socket) -> bytes:
    """Read up to the empty line; what is there of a body is included."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(4096)
        if not part:
            raise ConnectionError("ended")
        head += part
    return head


class Proxy(_Listener):
    """An HTTP proxy that knows CONNECT only."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.refuse = False
        self.asked: list[str] = []
        self.heads: list[bytes] = []

    def serve(self, sock: socket.socket) -> None:
        head = read_head(sock)
        self.heads.append(head)
        line = head.split(b"\r\n")[0].decode()
        self.asked.append(line)
        host, _, port = line.split()[1].rpartition(":")
        if self.refuse:
            sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            sock.close()
            return
        try:
            target = socket.create_connection((host, int(port)))
        except OSError:
            sock.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            sock.close()
            return
        self._open.append(target)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._relay(sock, target)

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, one, other:
            selector.register(one, selectors.EVENT_READ, other)
            selector.register(other, selectors.EVENT_READ, one)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)


class ScriptedServer(_Listener):
    """A TLS server that hands each connection, with its number from 1, to ``script``."""

    def __init__(
        self, certificate: Certificate, script: Callable[[ssl.SSLSocket, int], None]
    ) -> None:
        super().__init__()
        self._script = script
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)
        self.connections = 0

    def serve(self, sock: socket.socket) -> None:
        self.connections += 1
        number = self.connections
        with self._context.wrap_socket(sock, server_side=True) as tls:
            self._open.append(tls)
            self._script(tls, number)
