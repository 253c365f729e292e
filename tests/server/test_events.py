"""Event streams share one watcher and end with their layout."""

from __future__ import annotations

import asyncio

import pytest

from pacifico.errors import InputError
from pacifico.server.events import Events, StreamsFullError


def collect(statuses, followers=2):
    """Statuses that each follower sees; the last one ends the streams."""
    reads = []

    async def read(owner, layout_id):
        reads.append((owner, layout_id))
        return {"status": statuses[min(len(reads), len(statuses)) - 1]}

    async def follow(events):
        async with events.follow("ann", "x") as changes:
            return [body["status"] async for body in changes]

    async def main():
        events = Events(read, most=100, poll_s=0.001)
        seen = await asyncio.gather(*(follow(events) for _ in range(followers)))
        assert events.count == 0
        return seen

    return asyncio.run(main()), reads


def test_all_followers_see_the_last_status_with_one_watcher():
    seen, reads = collect(["queued", "queued", "processing", "completed"], followers=50)
    assert {tuple(s)[-1] for s in seen} == {"completed"}
    assert all(len(s) == len(set(s)) for s in seen)
    assert len(reads) < 10


def test_a_deleted_layout_ends_its_streams():
    async def read(owner, layout_id):
        raise InputError("gone")

    async def main():
        async with Events(read, most=1).follow("ann", "x") as changes:
            return [body async for body in changes]

    assert asyncio.run(main()) == []


def test_more_streams_than_allowed_are_refused():
    async def read(owner, layout_id):
        return {"status": "queued"}

    async def main():
        events = Events(read, most=1)
        async with events.follow("ann", "x"):
            with pytest.raises(StreamsFullError, match="poll the status"):
                async with events.follow("ann", "y"):
                    pass
        async with events.follow("ann", "y"):
            assert events.count == 1

    asyncio.run(main())
