"""A kernel client that connects without jupyter_client's pause."""

from __future__ import annotations

import time
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient

_REPLY_S = 1.0
_PUBLISH_S = 0.02


class PromptClient(AsyncKernelClient):
    """Ready once the kernel answers on both channels.

    Old messages are told apart by their parent.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 (jupyter_client's signature)
        """Wait until the kernel answers and publishes.

        Raises
        ------
        RuntimeError
            It died, or did not answer within `timeout` [s].
        """
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=_REPLY_S)
                if reply["msg_type"] == "kernel_info_reply":
                    # What is published before the channel is connected is lost, so ask until something arrives.
                    await self.get_iopub_msg(timeout=_PUBLISH_S)
                    self._handle_kernel_info_reply(reply)
                    return
            except Empty:
                pass
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it answered")
            if time.monotonic() > end:
                raise RuntimeError(f"the kernel did not answer in {timeout:g} s")
