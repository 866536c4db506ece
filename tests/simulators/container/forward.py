# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Forwards TCP connections between two network namespaces.

A socket stays in the namespace in which it was made. So a process that inherited a listening socket
from one namespace and lives in another accepts on the one side and connects on the other.
"""

import asyncio
import contextlib
import json
import socket
import sys

Route = tuple[socket.socket, str, int]


async def forward(routes: list[Route]) -> None:
    """Accept on each route's socket and connect to its host and port, for ever."""
    async with contextlib.AsyncExitStack() as stack:
        for listener, host, port in routes:
            await stack.enter_async_context(await _serve(listener, host, port))
        await asyncio.Event().wait()


async def _serve(listener: socket.socket, host: str, port: int) -> asyncio.Server:
    at_work: set[asyncio.Task[None] | None] = set()  # the loop itself keeps no task alive

    async def accepted(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        at_work.add(task)
        try:
            await carried(near_in, near_out)
        finally:
            at_work.discard(task)

    async def carried(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far_in, far_out = await asyncio.open_connection(host, port)
        except OSError:
            near_out.transport.abort()
            return
        await asyncio.gather(_pump(near_in, far_out), _pump(far_in, near_out))
        for end in (near_out, far_out):
            end.close()

    return await asyncio.start_server(accepted, sock=listener)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
    except OSError:
        # One side is gone in mid-stream: the other must see a reset, not a clean end.
        sink.transport.abort()


def main(routes: str) -> None:
    """Forward along JSON ``[[FD, "HOST", PORT], …]`` until our standard input ends."""
    asyncio.run(
        _until_end_of_input(
            [(socket.socket(fileno=fd), host, port) for fd, host, port in json.loads(routes)]
        )
    )


async def _until_end_of_input(routes: list[Route]) -> None:
    serving = asyncio.create_task(forward(routes))
    await asyncio.to_thread(sys.stdin.buffer.read)
    serving.cancel()
