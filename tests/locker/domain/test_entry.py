"""Facts as text and back: exactly, for every type there is; names apart; anything else refused."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain import chain
from locker.domain.encoding import build, canonical, personal_data, public_data
from locker.domain.entry import Stamp, read, write
from locker.domain.errors import UnreadableFact
from locker.domain.events import TYPES, AuthorisationGranted, DoorRead, Event, StaffEnrolled, StaffSignedIn
from locker.domain.ids import Seq, StaffId

SALT = b"0123456789abcdef"
facts: st.SearchStrategy[Event] = st.sampled_from(sorted(TYPES)).flatmap(
    lambda name: st.from_type(TYPES[name])
)
stamps = st.from_type(Stamp)
SIGNED_IN = write(Seq(1), Stamp(1, 2, 3, "ntp"), "kiosk", StaffSignedIn(StaffId("s")), SALT, chain.START)


@given(fact=facts, stamp=stamps, seq=st.integers(1, 1 << 62), cause=st.text())
def test_an_entry_reads_back_as_it_was_written(fact: Event, stamp: Stamp, seq: int, cause: str) -> None:
    entry = write(Seq(seq), stamp, cause, fact, SALT, chain.START)
    assert read(entry.public, entry.personal) == (seq, stamp, cause, fact)
    assert json.loads(entry.public)["seq"] == seq
    digest = chain.personal_digest(entry.salt, entry.personal.encode())
    assert entry.hash == chain.link(chain.START, chain.leaf(entry.public.encode(), digest))


@given(fact=facts)
def test_without_its_names_a_fact_is_the_same_in_public(fact: Event) -> None:
    entry = write(Seq(1), Stamp(1, 2, 3, "ntp"), "centre", fact, SALT, chain.START)
    _, _, _, purged = read(entry.public, "")
    assert public_data(purged) == public_data(fact)
    assert personal_data(purged) == {}
    assert (entry.personal == "", entry.salt == b"") == (not personal_data(fact),) * 2


def test_what_names_a_person_is_marked_so() -> None:
    """Known to the purge by its mark alone: whoever adds a name without one is asked here."""
    marked = {
        (name, f.name) for name, kind in TYPES.items() for f in fields(kind) if f.metadata.get("personal")
    }
    named = {
        (name, f.name) for name, kind in TYPES.items() for f in fields(kind) if f.name in {"phone", "id"}
    }
    assert named <= marked
    assert {name for name, _ in marked} == {
        "ActAccepted",
        "AgentEntrusted",
        "AuthorisationGranted",
        "CodeAskedFor",
        "HelpAsked",
        "ItemAnnounced",
        "StaffEnrolled",
    }


def test_equal_facts_have_equal_texts_whatever_the_order() -> None:
    one = StaffEnrolled(StaffId("s"), frozenset(["helper", "technician", "a"]), "", "", 1)
    other = StaffEnrolled(StaffId("s"), frozenset(["a", "technician", "helper"]), "", "", 1)
    assert canonical(public_data(one)) == canonical(public_data(other))
    assert canonical({"b": 1, "a": "受理"}) == '{"a":"受理","b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"type": "Unheard"},
        {"type": ["StaffSignedIn"]},
        {"data": {}},
        {"data": {"staff": 7}},
        {"data": {"staff": "s", "more": 1}},
        {"data": ["s"]},
        {"boot": None},
    ],
)
def test_another_text_is_refused(change: dict[str, Any]) -> None:
    body = json.loads(SIGNED_IN.public) | change
    if change == {"boot": None}:
        del body["boot"]
    with pytest.raises(UnreadableFact):
        read(json.dumps(body), "")


@pytest.mark.parametrize("text", ["", "{", "7", "[]", "null", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFact):
        read(text, "")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (DoorRead, {"door": True, "position": "open", "item": "unknown"}),
        (DoorRead, {"door": 1.0, "position": "open", "item": "unknown"}),
        (DoorRead, {"door": 1, "position": "ajar", "item": "unknown"}),
        (
            StaffEnrolled,
            {"staff": "s", "roles": "helper", "badge_digest": "", "pin_digest": "", "until_ms": 1},
        ),
        (AuthorisationGranted, {}),
    ],
)
def test_values_of_another_type_are_refused(kind: type[Event], data: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFact):
        build(kind, data)
