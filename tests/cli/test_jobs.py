"""`pacifico jobs ...`: JSON from every command, and a bar that lives in a terminal alone. No notebook runs here."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys

import pytest

from pacifico.cli.jobs import main
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.client import JobClient
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.status import Artifact


@pytest.fixture
def environ(queues, bucket, monkeypatch):
    live, dead = queues
    monkeypatch.setenv("PACIFICO_STORE", f"s3://{bucket}")
    monkeypatch.setenv("PACIFICO_QUEUE_URL", live)
    monkeypatch.setenv("PACIFICO_DLQ_URL", dead)
    monkeypatch.setenv("PACIFICO_OWNER", "ann")


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    return path


@pytest.fixture
def client(environ):
    return JobClient()


@pytest.fixture
def submit(client, boundary):
    site = client.upload_site(boundary)

    def one():
        request = client.request(site, dem="sample")
        client.submit(request)
        return request.layout_id

    return one


def begin(client, layout_id):
    return claim(client._records, client.owner, layout_id, worker="w", settings=client.settings)


def complete(client, layout_id):
    attempt = begin(client, layout_id)
    client._store.put(keys.artifact(client.owner, layout_id, 1, "report.html"), b"<p>", kind="reports")
    files = {"report.html": Artifact(sha256=hashlib.sha256(b"<p>").hexdigest(), bytes=3)}
    attempt.swap(lambda s, now: states.completed(s, artifacts=files, metrics={"asset_count": 3}, now=now))


def fail(client, layout_id):
    begin(client, layout_id).swap(lambda s, now: states.failed(s, kind="service", message="m", now=now))


def test_every_command_prints_json_alone(client, submit, boundary, capsys, tmp_path):
    """Commands with ids print one object for each id, one a line, however many ids there are."""

    def output(*arguments, status=0):
        assert main(["jobs", *arguments, "--json"]) == status
        out, err = capsys.readouterr()
        assert err == ""
        return out

    def one(*arguments, status=0):
        return json.loads(output(*arguments, status=status))

    def each(*arguments, status=0):
        return [json.loads(line) for line in output(*arguments, status=status).splitlines()]

    done, failed, open_ = submit(), submit(), submit()
    complete(client, done)
    fail(client, failed)
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "a.kml").write_bytes(boundary.read_bytes())
    assert one("submit", str(boundary), "--dem", "sample")["status"] == "queued"
    assert [r["status"] for r in one("submit-many", str(folder), "--dem", "sample")] == ["queued"]
    assert one("status", done)["asset_count"] == 3
    assert [s["status"] for s in each("status", done, failed)] == ["completed", "failed"]
    assert one("wait", done)["status"] == "completed"
    assert [s["status"] for s in each("wait", done, failed, status=3)] == ["completed", "failed"]
    assert {row["layout_id"] for row in one("list")} > {done, failed, open_}
    assert {row["site"] for row in one("list")} == {"site.kml"}  # as it was first uploaded
    assert one("cancel", open_)["status"] == "cancelled"
    assert one("redrive", failed)["status"] == "queued"
    assert one("fetch", done, "--out", str(tmp_path / "out"))["out"] == str(tmp_path / "out")


UNKNOWN = "6f1b7f7e-8f43-4c6e-9d1c-0d8a0c5f2a12"


def test_an_unknown_id_is_an_error_object_and_stops_no_other(client, submit, capsys):
    known = submit()
    assert main(["jobs", "status", UNKNOWN, known, "--json"]) == 2
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["layout_id"], first["error"]["code"], first["error"]["exit_status"]) == (UNKNOWN, "not_found", 2)
    assert second["layout_id"] == known
    assert main(["jobs", "status", UNKNOWN, known]) == 2
    out, err = capsys.readouterr()
    assert known in out
    assert err.startswith("pacifico: layout ")


def test_an_unknown_id_ends_no_wait_for_others(client, submit, capsys):
    known = submit()
    complete(client, known)
    assert main(["jobs", "wait", UNKNOWN, known, "no-uuid", "--json"]) == 2
    lines = {line["layout_id"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines[UNKNOWN]["error"]["code"] == "not_found"
    assert lines["no-uuid"]["error"]["code"] == "invalid_input"
    assert lines[known]["status"] == "completed"
    assert main(["jobs", "wait", UNKNOWN]) == 2
    assert capsys.readouterr().err.startswith("pacifico: layout ")


def test_a_time_limit_is_json_with_the_statuses_so_far(client, submit, capsys):
    layout_id = submit()
    assert main(["jobs", "wait", layout_id, "--timeout", "0.1", "--json"]) == 124
    status, limit = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (status["layout_id"], status["status"]) == (layout_id, "queued")
    assert (limit["error"]["code"], limit["error"]["exit_status"]) == ("time_limit", 124)


def fail_by(client, layout_id, kind):
    begin(client, layout_id).swap(lambda s, now: states.failed(s, kind=kind, message="m", now=now))


@pytest.mark.parametrize(
    ("kind", "status"), [("request", 2), ("timeout", 2), ("memory", 2), ("service", 3), ("lost", 3), ("cancelled", 1)]
)
def test_wait_exits_by_whose_fault_it_was(client, submit, kind, status):
    layout_id = submit()
    if kind == "cancelled":
        client.cancel(layout_id)
    else:
        fail_by(client, layout_id, kind)
    assert main(["jobs", "wait", layout_id]) == status


def test_a_queue_that_is_down_leaves_an_id_to_submit_again(client, boundary, capsys, monkeypatch):
    live = client.settings.queue_url
    monkeypatch.setenv("PACIFICO_QUEUE_URL", live + "-gone")
    command = ["jobs", "submit", str(boundary), "--dem", "sample", "--json"]
    assert main(command) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "not_sent"
    status = client.status(error["layout_id"])
    assert (status["status"], status["stalled"]) == ("queued", True)
    assert "not sent to the queue" in status["stage_message"]
    monkeypatch.setenv("PACIFICO_QUEUE_URL", live)
    assert main([*command, "--layout-id", error["layout_id"]]) == 0
    status = client.status(error["layout_id"])
    assert (status["stage_message"], status["stalled"]) == ("", False)


def test_redrive_refuses_the_requests_own_fault_unless_forced(client, submit, capsys):
    layout_id = submit()
    fail_by(client, layout_id, "request")
    assert main(["jobs", "redrive", layout_id, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_redrivable"
    assert main(["jobs", "redrive", layout_id, "--force"]) == 0
    assert client.status(layout_id)["status"] == "queued"


def test_a_table_submitted_again_with_its_key_submits_nothing_twice(client, boundary, capsys):
    table = boundary.with_name("many.csv")
    rows = f"{boundary.name},sample\n{boundary.name},sample\n{boundary.name},3dep\n"
    table.write_text("boundary,dem\n" + rows)
    command = ["jobs", "submit-many", str(table), "--idempotency-key", "monday", "--json"]
    ids = []
    for _ in range(2):
        assert main(command) == 0
        ids.append([r["layout_id"] for r in json.loads(capsys.readouterr().out)])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3  # equal rows stay different jobs
    assert len(client.list()) == 3


def test_submit_takes_an_idempotency_key(client, boundary, capsys):
    command = ["jobs", "submit", str(boundary), "--idempotency-key", "k", "--json"]
    ids = set()
    for _ in range(2):
        assert main([*command, "--dem", "sample"]) == 0
        ids.add(json.loads(capsys.readouterr().out)["layout_id"])
    assert len(ids) == 1
    assert main([*command, "--dem", "3dep"]) == 2  # another request under the same key
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "conflict"


@pytest.mark.parametrize("option", ["--idempotency-key", "--layout-id"])
@pytest.mark.parametrize("value", ["", "\udcff"])
def test_a_name_of_a_submission_that_is_empty_or_no_text_is_refused(client, boundary, capsys, option, value):
    """As from a variable of the shell that is not set: repeated, it would submit twice."""
    assert main(["jobs", "submit", str(boundary), "--dem", "sample", option, value, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "invalid_input"
    if option == "--idempotency-key":
        table = boundary.parent
        assert main(["jobs", "submit-many", str(table), "--dem", "sample", option, value, "--json"]) == 2
    assert client.list() == []


def test_letters_that_stdout_does_not_take_are_escaped(client, submit, monkeypatch, tmp_path):
    layout_id = submit()
    begin(client, layout_id).swap(lambda s, now: states.failed(s, kind="request", message="kein Gelände", now=now))
    with (tmp_path / "out").open("w", encoding="ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["jobs", "status", layout_id, "--json"]) == 0
    assert json.loads((tmp_path / "out").read_text())["error_message"] == "kein Gelände"


def test_without_a_target_all_that_fits_is_asked_for(client, boundary, capsys):
    assert main(["jobs", "submit", str(boundary), "--dem", "sample", "--json"]) == 0
    layout_id = json.loads(capsys.readouterr().out)["layout_id"]
    assert client._records.request("ann", layout_id)[0].target_capacity_kw is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_follows_the_job_in_a_terminal(client, submit, capsys, monkeypatch):
    terminal, layout_id = Terminal(), submit()
    monkeypatch.setattr(sys, "stderr", terminal)
    attempt = begin(client, layout_id)

    def reach(stage):
        return lambda: attempt.swap(lambda s, now: states.renewed(s, now=now, stage=stage))

    end = lambda: attempt.swap(lambda s, now: states.completed(s, artifacts={}, metrics={}, now=now))  # noqa: E731
    moves = [reach("computing_slope"), reach("placing_assets"), end]
    monkeypatch.setattr("time.sleep", lambda _: moves.pop(0)())  # between two looks, the job moves
    assert main(["jobs", "wait", layout_id]) == 0
    frames = re.findall(r"\r\[([#.]{24})\] +(\d+) %  ([a-z ]+)", terminal.getvalue())
    assert [(int(share), words) for _, share, words in frames] == [
        (0, "queued"),
        (25, "computing slope"),
        (55, "placing assets"),
        (100, "completed"),
    ]
    assert [bar.count("#") for bar, _, _ in frames] == [0, 6, 13, 24]
    assert terminal.getvalue().endswith("\n")
    assert layout_id in capsys.readouterr().out


@pytest.mark.parametrize(("stderr", "options"), [(Terminal(), ["--json"]), (io.StringIO(), [])])
def test_no_bar_for_programs(client, submit, monkeypatch, stderr, options):
    layout_id = submit()
    complete(client, layout_id)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert main(["jobs", "wait", layout_id, *options]) == 0
    assert stderr.getvalue() == ""


# --- what was asked for and does not stand


def complete_short(client, layout_id, shortfall):
    attempt = begin(client, layout_id)
    data = json.dumps({"total_capacity_kw": 900.0, "shortfall": shortfall}).encode()
    client._store.put(keys.artifact(client.owner, layout_id, 1, "metrics.json"), data, kind="reports")
    files = {"metrics.json": Artifact(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))}
    attempt.swap(lambda s, now: states.completed(s, artifacts=files, metrics={"asset_count": 3}, now=now))


SHORT = "900 kW of the 1,000 kW asked for are placed"


@pytest.mark.parametrize(("shortfall", "status"), [("", 0), (SHORT, 1)])
def test_submit_tells_by_its_status_whether_all_that_was_asked_for_stands(
    client, boundary, capsys, monkeypatch, shortfall, status
):
    """As `pacifico layout` does; the same for one job and for many, while waiting and when it had ended before."""

    def end(_):
        for row in client.list(status="queued"):
            complete_short(client, row["layout_id"], shortfall)

    monkeypatch.setattr("time.sleep", end)  # between two looks, the jobs end
    layout_id = "6f1b7f7e-8f43-4c6e-9d1c-0d8a0c5f2a11"
    command = ["jobs", "submit", str(boundary), "--dem", "sample", "--layout-id", layout_id, "--json"]
    assert main([*command, "--wait"]) == status
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["message"]) == ("completed", shortfall or "Layout is completed")
    assert main(command) == status
    assert json.loads(capsys.readouterr().out)["message"] == "Layout is completed already"
    table = boundary.with_name("many.csv")
    table.write_text(f"boundary,dem\n{boundary.name},sample\n{boundary.name},3dep\n")
    assert main(["jobs", "submit-many", str(table), "--wait", "--json"]) == status
    assert {r["message"] for r in json.loads(capsys.readouterr().out)} == {shortfall or "Layout is completed"}
    assert main(["jobs", "wait", layout_id]) == status
    capsys.readouterr()


# --- setbacks and exclusions


def asked(client, capsys, *words, run=main):
    assert run(["jobs", "submit", *map(str, words), "--dem", "sample", "--json"]) == 0
    said = capsys.readouterr()
    return client._records.request("ann", json.loads(said.out)["layout_id"])[0].parameters, said.err


def test_edge_setbacks_go_into_the_rules_of_the_request(client, boundary, capsys, tmp_path):
    spec = tmp_path / "own.toml"
    spec.write_text('[site]\nsetback_m = 5.0\nsetbacks = [{edges = "south", setback_m = 7}]\n')
    words = (boundary, "--edge-setback", "north=30", "--edge-setback", "2, County road=50")
    entries = [{"edges": ["north"], "setback_m": 30.0}, {"edges": [2, "County road"], "setback_m": 50.0}]
    assert asked(client, capsys, *words)[0] == {"spec": {"site": {"setbacks": entries}}}
    south = {"edges": "south", "setback_m": 7}
    assert asked(client, capsys, *words, "--spec", spec)[0] == {
        "spec": {"site": {"setback_m": 5.0, "setbacks": [south, *entries]}}
    }


def test_a_weather_file_is_sent_with_the_job(client, boundary, capsys, tmp_path):
    from pacifico.jobs.runner.staging import stage

    weather = tmp_path / "year.epw"
    weather.write_text("LOCATION")
    parameters, _ = asked(client, capsys, boundary, "--weather", weather, "--energy")
    assert parameters == {"energy": True, "weather": f"upload:{hashlib.sha256(b'LOCATION').hexdigest()}"}
    request = client._records.request("ann", client.list()[0]["layout_id"])[0]
    inputs, rest = stage(request, client._store, client.settings, tmp_path / "in")
    assert inputs["weather"].read_text() == "LOCATION"
    assert rest["energy"] is True
    assert "weather" not in rest


def test_a_table_lists_setbacks_and_exclusions_with_semicolons(client, boundary, capsys, tmp_path):
    (tmp_path / "wet.geojson").write_text("{}")
    table = tmp_path / "many.csv"
    table.write_text(f'boundary,dem,edge_setback,exclusions\n{boundary.name},sample,"north=30; 2,3=50",wet.geojson\n')
    assert main(["jobs", "submit-many", str(table), "--json"]) == 0
    layout_id = json.loads(capsys.readouterr().out)[0]["layout_id"]
    parameters = client._records.request("ann", layout_id)[0].parameters
    assert [e["edges"] for e in parameters["spec"]["site"]["setbacks"]] == [["north"], [2, 3]]
    assert parameters["exclusions"] == f"upload:{hashlib.sha256(b'{}').hexdigest()}"


@pytest.mark.parametrize("text", ["north", "=3", "north=x", "north=-1", "north=nan", ",=4"])
def test_setbacks_that_are_none_are_refused_before_anything_is_sent(client, boundary, capsys, text):
    with pytest.raises(SystemExit):
        main(["jobs", "submit", str(boundary), "--dem", "sample", "--edge-setback", text])
    assert "is not EDGES=METRES" in capsys.readouterr().err
    (boundary.parent / "t.csv").write_text(f'boundary,dem,edge_setback\n{boundary.name},sample,"{text}"\n')
    assert main(["jobs", "submit-many", str(boundary.parent / "t.csv")]) == 2
    assert "line 2: " in capsys.readouterr().err
    assert client.list() == []


def test_a_spec_whose_setbacks_are_no_list_is_refused(client, boundary, capsys, tmp_path):
    spec = tmp_path / "own.toml"
    spec.write_text('[site]\nsetbacks = "north"\n')
    words = ["--dem", "sample", "--spec", str(spec), "--edge-setback", "north=3"]
    assert main(["jobs", "submit", str(boundary), *words]) == 2
    assert "site.setbacks is no list" in capsys.readouterr().err


def test_exclusions_of_a_service_are_fetched_by_who_submits_and_sent_as_a_file(client, capsys, tmp_path):
    """The job reads no address: what it is given is the file that stands for all sources."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    from pacifico.cli.main import main as pacifico
    from pacifico.jobs.runner.staging import stage
    from pacifico.terrain.sources import sample_site_path

    lon, lat = -84.2, 36.6
    line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.001, lat]]}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            member = {"type": "Feature", "geometry": line, "properties": {"name": "creek"}}
            data = json.dumps({"title": "Creeks", "type": "FeatureCollection", "features": [member]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    own = tmp_path / "own.geojson"
    ring = [[lon, lat], [lon + 0.001, lat], [lon, lat + 0.001], [lon, lat]]
    member = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"name": "pond"}}
    own.write_text(json.dumps({"type": "FeatureCollection", "features": [member]}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,)).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/collections/creeks/items"
        words = (sample_site_path(), "--exclusions", address, "--exclusions", own, "--exclusion-buffer-m", 12)
        parameters, said = asked(client, capsys, *words, run=pacifico)
    finally:
        server.shutdown()
        server.server_close()
    assert set(parameters) == {"exclusions"}
    layout_id = client.list()[0]["layout_id"]
    inputs, _ = stage(client._records.request("ann", layout_id)[0], client._store, client.settings, tmp_path / "in")
    features = json.loads(inputs["exclusions"].read_text())["features"]
    assert [(f["properties"]["name"], f["properties"]["buffer_m"]) for f in features] == [("creek", 12), ("pond", 12)]
    assert all(line.startswith("note: ") for line in said.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exclusions", "https://example.com/FeatureServer/0"], "need the command pacifico jobs"),
        (["--exclusion-buffer-m", "5"], "widens what --exclusions gives"),
    ],
)
def test_exclusions_that_can_not_be_combined_are_refused(client, boundary, capsys, words, said):
    assert main(["jobs", "submit", str(boundary), "--dem", "sample", *words]) == 2
    assert said in capsys.readouterr().err
    assert client.list() == []


# --- where a report can't be written


@pytest.mark.parametrize(
    ("where", "said"),
    [("file", "is a file"), ("file/below", "is a file"), ("full", "is not an empty folder"), ("/proc/x/y", "nothing can be written")],
)  # fmt: skip
def test_fetch_refuses_a_folder_that_can_not_be_written_before_the_store_is_asked(
    client, capsys, tmp_path, monkeypatch, where, said
):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept").write_text("")
    monkeypatch.setattr(JobClient, "_read", lambda *_: pytest.fail("the store was asked"))
    layout_id = "6f1b7f7e-8f43-4c6e-9d1c-0d8a0c5f2a11"
    assert main(["jobs", "fetch", layout_id, "--out", str(tmp_path / where)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_fetch_makes_the_folders_on_the_way(client, submit, tmp_path):
    layout_id = submit()
    complete(client, layout_id)
    out = tmp_path / "a" / "b"
    assert main(["jobs", "fetch", layout_id, "--out", str(out)]) == 0
    assert [p.name for p in out.iterdir()] == ["report.html"]
    assert [p.name for p in out.parent.iterdir()] == ["b"]


def test_one_layer_of_a_file_with_several_is_submitted(client, boundary, capsys):
    """The file's own reading is of all its layers, so none is kept beside it."""
    import geopandas as gpd
    from shapely import box

    from pacifico.cli.main import main as pacifico

    both = boundary.parent / "both.gpkg"
    frame = gpd.GeoDataFrame(geometry=[box(-97.2, 28.2, -97.19, 28.21)], crs=4326)
    for layer in ("one", "two"):
        frame.to_file(both, layer=layer)
    assert pacifico(["jobs", "submit", str(both), "--dem", "sample"]) == 2
    assert "polygons in 2 layers" in capsys.readouterr().err
    assert asked(client, capsys, both, "--layer", "two", run=pacifico)[0] == {"layer": "two"}


def test_a_list_shows_the_names_of_sites(client, submit, capsys):
    layout_id = submit()
    assert main(["jobs", "list"]) == 0
    assert re.fullmatch(rf"{layout_id}  queued      \S+  site\.kml\n", capsys.readouterr().out)
