"""Files of stored reports are checked against their hashes."""

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer.artifacts import artifact


@pytest.fixture
def job(submit, run_job):
    layout_id = submit(generation_profile="bess")
    run_job(layout_id)
    return layout_id


def test_a_file_is_read_whole(client, job):
    assert artifact(client, client.status(job), "layout.geojson").startswith(b"{")


def test_a_changed_file_is_refused(client, job, tmp_path):
    (path,) = (tmp_path / "store").rglob(f"*{job}*/attempts/1/layout.geojson")
    path.write_text("{}")
    with pytest.raises(OutsideServiceError, match="is not the file that the job made"):
        artifact(client, client.status(job), "layout.geojson")
