"""A kernel's client that is ready as soon as the kernel answers on both lines; jupyter_client's waits 0.2 s for silence."""

from __future__ import annotations

import time
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient

_LOOK_S = 1.0
_LINE_S = 0.02


class PromptClient(AsyncKernelClient):
    """Whoever runs cells tells messages apart by what they answer: old ones need not be waited out."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 (jupyter_client's signature)
        """Wait until the kernel answers, and is heard to publish.

        Raises
        ------
        RuntimeError
            It died, or did not answer in that time [s].
        """
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=_LOOK_S)
                if reply["msg_type"] == "kernel_info_reply":
                    # What is published before the line stands is lost: ask again until something is heard.
                    await self.get_iopub_msg(timeout=_LINE_S)
                    self._handle_kernel_info_reply(reply)
                    return
            except Empty:
                pass
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it answered")
            if time.monotonic() > end:
                raise RuntimeError(f"the kernel did not answer in {timeout:g} s")
