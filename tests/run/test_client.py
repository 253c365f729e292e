"""The kernel client that waits for a kernel without a pause."""

import asyncio
from queue import Empty

import pytest

from pacifico.run.client import PromptClient


class Client(PromptClient):
    """Client whose kernel never answers."""

    alive = True

    def kernel_info(self, **_):
        return "id"

    async def get_shell_msg(self, *_, **__):
        raise Empty

    async def _async_is_alive(self):
        return self.alive


def test_a_silent_kernel_ends_the_wait():
    with pytest.raises(RuntimeError, match="did not answer in 0 s"):
        asyncio.run(Client().wait_for_ready(timeout=0))


def test_a_dead_kernel_ends_the_wait():
    client = Client()
    client.alive = False
    with pytest.raises(RuntimeError, match="died before it answered"):
        asyncio.run(client.wait_for_ready())
