"""The server around the application: on this machine alone, until it is interrupted."""

import contextlib
import errno
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from pipeline.errors import RecipeError
from pipeline.inspection.browse.app import make
from pipeline.inspection.browse.site import Site

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0: any free one. Raises RecipeError where the port cannot be had."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen(64)
    except OSError as error:
        bound.close()
        taken = error.errno == errno.EADDRINUSE
        raise RecipeError(
            f"port {port} is taken" if taken else f"port {port} cannot be used: {error.strerror}",
            where=f"{HOST}:{port}",
            hint="name another one with --port, or --port 0 for any that is free",
        ) from error
    return bound


def serve(site: Site, bound: socket.socket, ready: Callable[[str], None]) -> None:
    """Answer until SIGINT or SIGTERM; then end queries that run, and return. `ready` is called with the URL before."""
    port = bound.getsockname()[1]
    config = uvicorn.Config(
        make(site, port), log_config=None, access_log=False, server_header=False, date_header=False, lifespan="on",
        timeout_graceful_shutdown=1, limit_concurrency=64, h11_max_incomplete_event_size=16 << 10, ws="none",
    )  # fmt: skip
    before = {kind: signal.signal(kind, _interrupt) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        ready(f"http://{HOST}:{port}/")
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends well, and then raises what it was ended by
            uvicorn.Server(config).run(sockets=[bound])
    finally:
        site.close()
        bound.close()
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
