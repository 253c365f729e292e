"""`pacifico rules` on a stored layout, and the same findings from the plan itself."""

import json

import pytest

from pacifico.analysis.compliance import evaluate, facts_of
from pacifico.analysis.compliance_facts import facts_of_layout
from pacifico.analysis.rule_packs import read_pack
from pacifico.cli.main import main
from pacifico.layout.generate import generate_layout


@pytest.fixture
def stored(layout, tmp_path):
    path = tmp_path / "layout.geojson"
    path.write_text(json.dumps(layout))
    return path


def test_findings_as_json(stored, capsys):
    assert main(["rules", str(stored), "--pack", "ifc-appendix-d", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["counts"]["fail"] == 0
    assert said["counts"]["pass"] >= 3
    grade = next(f for f in said["findings"] if f["rule_id"] == "D103.2")
    assert (grade["status"], grade["limit"], grade["unit"]) == ("pass", 10.0, "%")
    assert grade["subjects"][0]["id"].startswith("R")


def test_a_broken_rule_is_status_1(stored, tmp_path, capsys):
    own = tmp_path / "far.toml"
    own.write_text(
        "[pack]\ntitle='Far county'\njurisdiction='Far'\nverified=false\n"
        "source={title='Code',url='https://example.org',date='2026'}\n"
        "[[rule]]\nid='far'\ntopic='boundary setback'\ncheck='distance_to_boundary'\nassets=['generator']\nlimit=900\n"
        "unit='ft'\nsection='1'\nsays='900 ft away'\n"
    )
    assert main(["rules", str(stored), "--pack", str(own)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("Far county (values not verified)\n")
    assert "fail           far boundary setback: 900 ft away - generator-" in out
    assert "not covered    noise" in out


def test_nothing_passes_where_no_rule_could_be_evaluated(stored, capsys):
    assert main(["rules", str(stored), "--pack", "jackson-county-ga-solar"]) in (0, 1)
    capsys.readouterr()
    layout = json.loads(stored.read_text())
    layout["features"] = [f for f in layout["features"] if f["properties"].get("asset_type") in (None, "generator")]
    stored.write_text(json.dumps(layout))
    assert main(["rules", str(stored), "--pack", "rock-island-county-il-bess"]) == 1
    assert "0 fail, 0 pass, 3 not evaluable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--pack", "utopia"], "rules pack 'utopia' is unknown"),
        (["--pack", "nfpa-855", "--height", "tower=5"], "'tower=5' is not a height"),
    ],
)
def test_bad_input_is_status_2(stored, capsys, more, said):
    try:
        status = main(["rules", str(stored), *more])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_plan_and_its_file_give_the_same_findings(site, dem):
    plan = generate_layout(site, dem, profile="gas_bess", target_capacity_kw=20_000)
    layout = json.loads(json.dumps(plan.to_geojson()))
    for name in ("ifc-appendix-d", "nfpa-855", "rock-island-county-il-bess"):
        pack = read_pack(name)
        ours, theirs = evaluate(facts_of(plan), pack), evaluate(facts_of_layout(layout), pack)
        for a, b in zip(ours, theirs, strict=True):
            assert (a.rule_id, a.status, a.why) == (b.rule_id, b.status, b.why)
            assert a.value == b.value or a.value == pytest.approx(b.value, abs=0.01)
