"""Rule packs: every shipped one is read with its sources, and faulty ones are refused with the cause."""

import tomllib
from importlib import resources

import pytest
from fixtures.rule_packs import BASE, HEAD, pack_of, written

from pacifico.analysis.rule_packs import AREAS, CHECKS, LENGTHS, TOPICS, read_pack, shipped_packs
from pacifico.errors import InputError

PACKS = resources.files("pacifico.analysis").joinpath("packs")


def test_every_file_in_the_folder_is_a_shipped_pack():
    names = sorted(f.name for f in PACKS.iterdir())
    assert [f"{name}.toml" for name in shipped_packs()] == names
    assert len(names) >= 4


@pytest.mark.parametrize("name", shipped_packs())
def test_shipped_packs_are_read_with_the_source_of_each_rule(name):
    pack = read_pack(name)
    assert pack.name == name
    assert pack.title
    assert len({r.rule_id for r in pack.rules}) == len(pack.rules)
    for rule in pack.rules:
        assert rule.source.url.startswith(("https://", "http://"))
        assert rule.source.section
        assert rule.source.date


def test_values_not_read_in_the_source_are_marked():
    assert not read_pack("nfpa-855").verified
    assert read_pack("ifc-appendix-d").verified


def test_a_pack_is_the_same_by_name_by_path_and_by_content(tmp_path):
    text = PACKS.joinpath("nfpa-855.toml").read_text(encoding="utf-8")
    path = tmp_path / "nfpa-855.toml"
    path.write_text(text, encoding="utf-8")
    assert read_pack(path).rules == read_pack("nfpa-855").rules == read_pack(tomllib.loads(text)).rules


def test_a_rule_is_read_whole(tmp_path):
    (rule,) = pack_of(tmp_path, BASE | {"zone": ["Dwelling"], "from": "centre", "unit": "ft"}).rules
    assert (rule.rule_id, rule.topic, rule.check, rule.says) == (
        "r1",
        "boundary setback",
        "distance_to_boundary",
        "stay away",
    )
    assert (rule.limit, rule.unit, rule.assets, rule.others, rule.zone) == (50.0, "ft", ("battery",), (), ("dwelling",))
    assert rule.centre
    assert rule.source.title == "Code of test county"


def test_a_rule_may_have_its_own_source(tmp_path):
    path = written(tmp_path, BASE)
    own = 'source = { title = "Own", url = "https://example.org/own", date = "2025" }\n'
    path.write_text(path.read_text() + own)
    assert read_pack(path).rules[0].source.title == "Own"


def test_checks_and_topics_have_known_units():
    units = {*LENGTHS, *AREAS, "heights", "deg", "%"}
    assert {u for known in CHECKS.values() for u in known} <= units
    assert len(set(TOPICS)) == len(TOPICS)


FAULTY = [
    (BASE | {"limit": -3}, "rule 'r1' limit = -3; give a number from 0"),
    (BASE | {"limit": "far"}, "rule 'r1' limit = 'far'"),
    (BASE | {"unit": "yards"}, "rule 'r1' unit = 'yards'; choose from m, ft, heights"),
    (BASE | {"check": "beauty"}, "rule 'r1' check = 'beauty'; choose from"),
    (BASE | {"assets": ["reactor"]}, "names asset type 'reactor'; choose from solar_array"),
    (BASE | {"assets": []}, "rule 'r1' has no assets"),
    (BASE | {"check": "distance_to_zone"}, "rule 'r1' has no zone"),
    (BASE | {"colour": "red"}, "rule 'r1' has 'colour'; it knows"),
    (BASE | {"says": ""}, "rule 'r1' says = ''; give it one line of text"),
    (BASE | {"from": "roof"}, "rule 'r1' from = 'roof'; choose footprint or centre"),
    (BASE | {"check": "none"}, "rule 'r1' why = None"),
    ({"id": 7}, "rule 1 id = 7"),
]


@pytest.mark.parametrize(("rule", "said"), FAULTY)
def test_a_faulty_rule_is_refused_in_one_line_with_its_name(tmp_path, rule, said):
    with pytest.raises(InputError) as caught:
        pack_of(tmp_path, rule)
    assert said in str(caught.value)
    assert str(caught.value).startswith("rules pack own.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it needs one [pack] table"),
        (HEAD, "it needs one [pack] table"),
        ("this is no toml", "give a TOML file"),
        (HEAD.replace("true", "'yes'") + "\n[[rule]]\nid = 'a'\n", "verified = 'yes'"),
        (HEAD + 2 * "\n[[rule]]\nid='a'\ntopic='t'\ncheck='none'\nwhy='w'\nsection='s'\nsays='x'\n", "two rules have id 'a'"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"rules pack own\.toml") as caught:
        read_pack(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_pack_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"rules pack 'utopia' is unknown; give one of .*ifc-appendix-d"):
        read_pack("utopia")
    with pytest.raises(InputError, match="No such file"):
        read_pack(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("key", "value"),
    [("says", "x" * 1001), ("says", "a\x00b"), ("why", "a\nb"), ("zone", ["a\x1b[2J"]), ("section", "\u202e1")],
)
def test_texts_with_control_characters_are_refused(key, value):
    source = {"title": "t", "url": "u", "date": "d"}
    rule = {**BASE, key: value}
    with pytest.raises(InputError, match=rf"rule 'r1' {key} = .* give (it one line of text|a list of words)"):
        read_pack({"pack": {"title": "t", "jurisdiction": "j", "verified": True, "source": source}, "rule": [rule]})
