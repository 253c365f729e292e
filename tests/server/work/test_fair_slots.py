"""Slots are handed out in turn between owners."""

from __future__ import annotations

import asyncio

import pytest

from pacifico.server.work.fair_slots import BusyError, FairSlots


def test_a_second_owner_does_not_wait_behind_all_work_of_the_first():
    order = []

    async def work(slots, owner):
        async with slots.slot(owner):
            order.append(owner)
            await asyncio.sleep(0)

    async def main():
        slots = FairSlots(1)
        await asyncio.gather(*(work(slots, "ann") for _ in range(5)), *(work(slots, "bob") for _ in range(2)))

    asyncio.run(main())
    assert order == ["ann", "ann", "bob", "ann", "bob", "ann", "ann"]


def test_never_more_than_the_slots_and_cancelled_ones_give_theirs_back():
    running, most = [0], [0]

    async def work(slots, n):
        async with slots.slot(str(n % 3)):
            running[0] += 1
            most[0] = max(most[0], running[0])
            try:
                await asyncio.sleep(0.001)
            finally:
                running[0] -= 1

    async def main():
        slots = FairSlots(2)
        tasks = [asyncio.create_task(work(slots, n)) for n in range(60)]
        await asyncio.sleep(0.002)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(work(slots, 0), 1)

    asyncio.run(main())
    assert most[0] == 2


def test_too_much_waiting_work_is_refused():
    async def main():
        slots = FairSlots(0, most_waiting=1)
        first = asyncio.create_task(slots.slot("ann").__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await slots.slot("ann").__aenter__()
        first.cancel()

    asyncio.run(main())
