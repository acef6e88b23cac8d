"""Several processes that train together, forked from the test's own: PyTorch is imported already."""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any


def in_processes(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(rank)`, JSON, returns in each of `count` processes that find each other as under torchrun.

    {"error": its type's name, "text": its words} where it raised; None where the process died.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    children = []
    for rank in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            os.environ.update(
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                WORLD_SIZE=str(count),
                LOCAL_WORLD_SIZE=str(count),
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=str(port),
                GLOO_SOCKET_IFNAME="lo",
            )
            _answer(write, work, rank)
        os.close(write)
        children.append((child, read))
    answers = []
    for child, read in children:
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        answers.append(json.loads(text) if text else None)
    return answers


def _answer(pipe: int, work: Callable[[int], Any], rank: int) -> None:
    try:
        try:
            answer = work(rank)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": type(error).__name__, "text": str(error)}
        os.write(pipe, json.dumps(answer).encode())
        os.close(pipe)
        sys.stderr.flush()
    finally:
        os._exit(0)
