"""Every mistake is refused with file, line and remedy; nothing else ever comes of a file."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from locker.config import Config, ConfigError, load
from locker.config.places import line_of
from locker.domain.compartment import Reach, Size
from tests.locker.configured import TEXT, behind, instead, line, write


def refused(folder: Path, text: str) -> ConfigError:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    error = caught.value
    assert error.path == path
    assert error.remedy
    assert str(error).startswith(f"{path}:{error.line}: " if error.line else f"{path}: ")
    assert "\n" not in str(error)
    return error


def test_what_fits_is_taken(tmp_path: Path) -> None:
    config = load(write(tmp_path))
    assert (config.locker_id, config.area) == ("loc-1", "park")
    assert config.journal_path == tmp_path / "state" / "journal.sqlite3"
    assert [(c.number, c.size, c.reach) for c in config.cabinet] == [
        (1, Size.S, Reach.MIDDLE),
        (2, Size.M, Reach.LOW),
    ]
    assert config.wiring.compartments.keys() == {1, 2}
    assert config.policy == {"hold_days": 9}


def test_the_help_line_is_a_limit_like_others(tmp_path: Path) -> None:
    """What the centre may set over it has to be one word with what the file says."""
    text = TEXT.replace("[locker]\n", '[locker]\nhelp_line = "0571 12345"\n')
    assert load(write(tmp_path, text)).policy == {"hold_days": 9, "help_line": "0571 12345"}
    assert "60 characters" in refused(tmp_path, text.replace("0571 12345", "0" * 61)).remedy
    in_policy = TEXT.replace("[policy]\n", '[policy]\nhelp_line = "0571 12345"\n')
    assert "no limit 'help_line'" in str(refused(tmp_path, in_policy))


MISTAKES = [
    # what is wrong, the text, the line to blame, words of the problem
    ("unknown table", TEXT + "[extras]\nx = 1\n", TEXT.count("\n") + 1, "'extras' is unknown"),
    ("unknown top key", "extra = 1\n" + TEXT, 1, "'extra' is unknown"),
    ("unknown key", behind("port", "prot = 80"), line("port") + 1, "unknown key 'prot'"),
    ("unknown quoted key", behind("port", '  "p q" = 80'), line("port") + 1, "unknown key 'p q'"),
    ("wrong type", instead("port", 'port = "80"'), line("port"), "port = '80' is no int"),
    ("a truth for a number", instead("port", "port = true"), line("port"), "port = True is no int"),
    ("a number for a table", instead("[kiosk]", "kiosk.port = 3"), line("[kiosk]"), "unknown key 'kiosk'"),
    ("no table", "kiosk = 3\n" + TEXT.replace("[kiosk]\nport = 8080\n", ""), 1, "kiosk = 3 is no table"),
    (
        "an anchor on the card",
        TEXT + '[anchor]\nfile = "state/eeprom"\n',
        TEXT.count("\n") + 2,
        "is beside the journal",
    ),
    ("missing key", instead('area = "park"', ""), line("[locker]"), "area is missing"),
    ("empty key", instead("area", 'area = ""'), line("area"), "area is missing"),
    ("missing table", TEXT.replace('[mqtt]\nhost = "127.0.0.1"\nport = 1883\n', ""), 0, "host is missing"),
    ("bad id", instead("id", 'id = "Loc 1"'), line("id"), "id 'Loc 1' does not fit"),
    ("bad area", instead("area", 'area = "a/b"'), line("area"), "area 'a/b' does not fit"),
    ("control characters", instead("state_dir", 'state_dir = "a\\u0000"'), line("state_dir"), "state_dir"),
    ("long socket", instead("state_dir", f'state_dir = "{"s" * 120}"'), line("state_dir"), "too long"),
    ("port too high", instead("port", "port = 65536"), line("port"), "port = 65536"),
    ("port 0", instead("port", "port = 0", 2), line("port", 2), "port = 0"),
    ("kiosk for all", behind("[kiosk]", 'host = "0.0.0.0"'), line("[kiosk]") + 1, "host '0.0.0.0'"),
    ("unknown scanner", behind("[kiosk]", 'scanner = "x"'), line("[kiosk]") + 1, "scanner 'x'"),
    ("half of TLS", behind("[mqtt]", 'ca = "ca.pem"'), line("[mqtt]"), "belong together"),
    ("no password", behind("[mqtt]", 'password_file = "x"'), line("[mqtt]") + 1, "cannot be read"),
    ("endless delay", behind("[mqtt]", "loss_delay_max_s = -1"), line("[mqtt]") + 1, "loss_delay_max_s = -1"),
    ("bad URL", instead("url", 'url = "COM3"'), line("url"), "'COM3' is no port"),
    ("socket nowhere", instead("url", 'url = "socket://x"'), line("url"), "no host and port"),
    ("odd baud", instead("baud", "baud = 9601"), line("baud"), "9601 baud"),
    ("line's name", instead("[lines.A]", "[lines.a]"), line("[lines.A]"), "is no name for a line"),
    (
        "line is no table",
        instead("[boards]", "[lines]\nB = 3\n[boards]"),
        line("[boards]") + 1,
        "3 is no table",
    ),
    ("idle line", behind("baud", '[lines.B]\nurl = "/dev/x"'), line("baud") + 1, "has no board"),
    ("unknown profile", instead('"A/1"', '"A/1" = "acme"'), line('"A/1"'), "acme"),
    ("profile is no name", instead('"A/1"', '"A/1" = 3'), line('"A/1"'), "3 is no profile's name"),
    ("board on no line", behind('"A/1"', '"B/1" = "inputs-32"'), line('"A/1"') + 1, "there is no line B"),
    ("board without work", behind('"A/1"', '"A/2" = "inputs-32"'), line('"A/1"') + 1, "nothing is wired"),
    ("channel too high", instead("lock", 'lock = "A/1/9"', 2), line("lock", 2), "there are 1 to 8"),
    ("sensor's channel", instead("sensor", 'sensor = "A/1/9"'), line("sensor"), "there are 1 to 8"),
    ("channel 0", instead("lock", 'lock = "A/1/0"'), line("lock"), "not written as"),
    ("shared lock", instead("lock", 'lock = "A/1/1"', 2), line("lock", 2), "already belongs"),
    ("shared sensor", instead("sensor", 'sensor = "A/1/1"', 2), line("sensor", 2), "already belongs"),
    ("no such board", instead("lock", 'lock = "A/7/1"'), line("lock"), "not named"),
    ("item sensor", behind("sensor", 'item = "A/1/99"'), line("sensor") + 1, "item sensor"),
    ("no sensor", instead("sensor", "", 2), line("[[compartments]]", 2), "sensor is missing"),
    ("level", behind("sensor", "door_closed_level = 2"), line("sensor") + 1, "door_closed_level"),
    ("long pulse", behind("sensor", "pulse_ms = 60000"), line("sensor") + 1, "60000 ms"),
    (
        "duplicate door",
        instead("number", "number = 1", 2),
        line("number", 2),
        "door 1 is there already, on line",
    ),
    ("door 0", instead("number", "number = 0"), line("number"), "number = 0"),
    ("size", instead("size", 'size = "XL"', 2), line("size", 2), "size 'XL'"),
    ("reach", instead("reach", 'reach = "sky"'), line("reach"), "reach 'sky'"),
    ("no doors", TEXT[: TEXT.index("[[comp")], 0, "there is none"),
    (
        "doors as one table",
        TEXT.split("[[comp")[0] + "[compartments]\nnumber = 1\n",
        line("[[comp"),
        "no list",
    ),
    ("doors inline", "compartments = [\n 1,\n]\n" + TEXT.split("[[comp")[0], 1, "1 is no table"),
    ("policy too high", instead("hold_days", "hold_days = 61"), line("hold_days"), "hold_days = 61"),
    ("policy unknown", behind("hold_days", "sunday = 1"), line("hold_days") + 1, "no limit 'sunday'"),
    ("policy's type", instead("hold_days", "hold_days = 9.0"), line("hold_days"), "9.0 is no int"),
    ("syntax", instead("area", "area = park"), line("area"), "Invalid value"),
    ("unfinished", TEXT + 'x = """never\n', TEXT.count("\n") + 1, "Unterminated"),
    ("key twice", behind("area", 'area = "x"'), line("area") + 1, "overwrite"),
    ("nested to death", "x = " + "[" * 5000, 0, "recursion"),
]


@pytest.mark.parametrize(
    ("text", "blamed", "problem"), [m[1:] for m in MISTAKES], ids=[m[0].replace(" ", "-") for m in MISTAKES]
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, text: str, blamed: int, problem: str) -> None:
    error = refused(tmp_path, text)
    assert problem in error.problem
    assert error.line == blamed


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            load(path)
        assert caught.value.line == 0
    with pytest.raises(ConfigError, match="lockerctl provision"):
        load(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"[locker]\nid = '\xe4'\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(latin)
    monkeypatch.setattr(Path, "read_text", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(ConfigError, match="sudo -u doclocker"):
        load(latin)


def test_a_line_is_found_however_it_is_written() -> None:
    text = '# first\n\na.b = 1\n[t]\n"x y" = """\ntwo\nlines"""\nz = {k = 1}\n[[r]]\n[[r]]\nq = [\n 1,\n]\n'
    for place, blamed in (
        (("a",), 3),
        (("a", "b"), 3),
        (("t",), 4),
        (("t", "x y"), 5),
        (("t", "z", "k"), 8),
        (("r", 0), 9),
        (("r", 1), 10),
        (("r", 1, "q"), 11),
        (("r", 1, "absent"), 10),
        (("r", 7, "q"), 9),
        (("absent", "x"), 0),
    ):
        assert line_of(text, place) == blamed, place


# TOML that is nearly right goes deeper than noise.
WORDS = st.sampled_from(
    ["[locker]", "[mqtt]", "[lines.A]", "[boards]", "[[compartments]]", "[policy]", "[kiosk]", "[x]"]
    + [each for each in TEXT.splitlines() if "=" in each]
    + ["id = 1", "url = []", "number = {}", "policy = 1", "lines = [1]", "size = nan", "x = 1979-05-27"]
    + ['"A/1" = ""', '"A/1" = "../x"', 'url = "socket://[:"', "number = 1e400", f"number = {'9' * 5000}"]
)
GARBAGE = st.one_of(
    st.lists(WORDS, max_size=30).map("\n".join).map(str.encode),
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(
        lambda cut, put: TEXT.encode()[:cut] + put + TEXT.encode()[cut + len(put) :],
        st.integers(0, len(TEXT)),
        st.binary(min_size=1, max_size=4),
    ),
)


@given(GARBAGE)
@example(TEXT.encode())
@example(b"")
@settings(max_examples=400)
def test_no_file_gives_anything_but_a_configuration_or_its_mistake(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.toml"
    path.write_bytes(garbage)
    try:
        assert isinstance(load(path), Config)
    except ConfigError as error:
        assert 0 <= error.line <= garbage.count(b"\n") + 1  # noqa: PT017  # it need not be raised
        assert error.remedy  # noqa: PT017  # as above
