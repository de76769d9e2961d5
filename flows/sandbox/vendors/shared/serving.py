"""Runs a server on a free port of the loopback, in a thread beside what uses it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from flows.sandbox.vendors.shared.gate import Gate

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 20.0


def bound(port: int) -> socket.socket:
    """Return a socket on a port of the loopback; port 0 takes a free one."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((LOOPBACK, port))
    return listening


def address(listening: socket.socket) -> str:
    """Return the address of what listens on a socket."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"


def server(gate: Gate) -> uvicorn.Server:
    """Return a server that leaves its headers to the gate and its log to the tests."""
    config = uvicorn.Config(
        gate,
        http="h11",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


@contextmanager
def running(gate: Gate, listening: socket.socket) -> Iterator[str]:
    """Serve while the block lasts; yields the address."""
    serving = server(gate)
    thread = threading.Thread(
        target=serving.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True
    )
    thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not serving.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield address(listening)
    finally:
        serving.should_exit = True
        thread.join(PATIENCE_SECONDS)
