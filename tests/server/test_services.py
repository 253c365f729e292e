"""Services: pollers share reads, and queued jobs survive a restart."""

from __future__ import annotations

import asyncio

import pytest

from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import NotFoundError
from pacifico.server.services import Services
from pacifico.server.settings import ServerSettings


@pytest.fixture
def settings(tmp_path):
    return Settings(store=str(tmp_path / "store"), owner="ann")


@pytest.fixture
def layout_id(settings, tmp_path):
    jobs = OwnedJobs(settings)
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    request = jobs.request(jobs.upload_site(path), dem="sample")
    jobs.accept(request)
    return request.layout_id


def test_pollers_of_one_moment_share_one_read(settings, layout_id, monkeypatch):
    async def main():
        services = Services(settings, ServerSettings())
        jobs = OwnedJobs(settings)
        reads = []
        real = jobs.status
        monkeypatch.setattr(jobs, "status", lambda i: reads.append(i) or real(i))
        found = await asyncio.gather(*(services.status(jobs, layout_id) for _ in range(50)))
        assert {body["status"] for body in found} == {"queued"}
        assert len(reads) == 1
        services.changed("ann", layout_id)
        await services.status(jobs, layout_id)
        assert len(reads) == 2
        with pytest.raises(NotFoundError):
            await services.status(jobs, "00000000-0000-0000-0000-000000000000")
        services.close()

    asyncio.run(main())


def test_jobs_that_a_stopped_server_left_queued_go_on(settings, layout_id, monkeypatch):
    async def main():
        services = Services(settings, ServerSettings())
        added = []
        monkeypatch.setattr(services.background, "add", lambda owner, i: added.append((owner, i)))
        await services.jobs("ann")
        await services.jobs("ann")
        await services.jobs("bob")
        assert added == [("ann", layout_id)]
        services.close()

    asyncio.run(main())


def test_a_job_that_waits_here_is_not_stalled(settings, layout_id, monkeypatch):
    async def main():
        services = Services(settings, ServerSettings())
        body = {"status": "queued", "layout_id": layout_id, "stalled": True}
        assert services.shown("ann", body)["stalled"]
        monkeypatch.setattr(services.background, "knows", lambda owner, i: True)
        assert not services.shown("ann", body)["stalled"]
        services.close()

    asyncio.run(main())
