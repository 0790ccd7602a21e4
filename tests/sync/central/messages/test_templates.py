"""Every message is whole in both languages, and how many SMS it costs is known."""

import string

import pytest

from sync.central.messages import templates
from sync.central.messages.templates import LANGUAGES, TEMPLATES, grouped, language_of, parts

WORDS = templates.load()
LINK = "https://locker.example.gov.cn/p/aabcdefghijklmnop.abcdefghijklmnopqrstuvwxyz"
SAMPLE = {
    "case": "GS-2026-000123",
    "locker": "hall-1",
    "place": {"zh": "政务大厅一号柜", "en": "Hall 1"},
    "item": {"zh": "营业执照", "en": "Licence"},
    "service_item": {"zh": "企业变更", "en": "Change"},
    "papers": {"zh": "股东会决议；章程", "en": "Resolution; statutes"},
    "consequence": {"zh": "逾期将退回申请。", "en": "Otherwise the case is returned."},
    "reason": {"zh": "请到窗口办理后续。", "en": "Please come to the window."},
    "solution": {"zh": "已为您重新打开箱门。", "en": "The door was opened for you."},
    "carrier": {"zh": "邮政", "en": "China Post"},
    "number": "HALL1-000123",
    "typed": "38479649773",
    "door": "17",
    "link": LINK,
}
MOST_PARTS = 2
"""Half of it is the link; a longer one is a letter."""


def sample(language: str, template: str) -> dict[str, str]:
    told = {"kind": "supplement", "decision": "accepted", "tracking": "EA123456789CN", "complaint": "c"}
    moments = dict.fromkeys(("time", "expires", "begins", "until", "deadline"), "2026-11-26 18:00")
    every = {
        name: value[language] if isinstance(value, dict) else str(value) for name, value in SAMPLE.items()
    }
    every |= moments | {name: WORDS[language].told(name, value, 480)[1] for name, value in told.items()}
    known = {"case", "locker", "place", *TEMPLATES[template].tells}
    known |= {"typed"} if TEMPLATES[template].codes else set()
    known |= {"link"} if TEMPLATES[template].leads else set()
    return {name: every[name] for name in known}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_whole(language: str, template: str) -> None:
    text = WORDS[language].text(template, sample(language, template))
    print(f"{language} {template}: {len(text)} characters, {parts(text)} SMS: {text}")
    assert parts(text) <= MOST_PARTS
    assert WORDS[language].title(template)
    assert "{" not in text
    assert "  " not in text


@pytest.mark.parametrize("template", [name for name, each in TEMPLATES.items() if each.codes])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_stands_in_the_first_part(language: str, template: str) -> None:
    text = WORDS[language].text(template, sample(language, template))
    first = text[: templates.GSM_PART if language == "en" else templates.UCS2_PART]
    assert "384 7964 9773" in first


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_words_for_these_messages_and_no_others(language: str) -> None:
    words = WORDS[language].of
    assert set(words["text"]) == set(words["title"]) == set(TEMPLATES)
    for name, text in words["text"].items():
        used = {field for _, field, _, _ in string.Formatter().parse(text) if field}
        assert used <= sample(language, name).keys()
        assert ("link" in used) == bool(TEMPLATES[name].leads)


def test_a_moment_is_local_and_an_unknown_one_is_to_be_confirmed() -> None:
    chinese, english = (WORDS[language] for language in LANGUAGES)
    assert chinese.told("deadline_ms", 1_790_000_000_000, 480) == ("deadline", "2026-09-21 22:13")
    assert chinese.told("time_ms", 0, 480) == ("time", "待确认")
    assert english.told("time_ms", 10**30, 480) == ("time", "to be confirmed")


def test_parts_are_counted_as_gateways_bill_them() -> None:
    assert [parts("中" * count) for count in (1, 70, 71, 134, 135)] == [1, 1, 2, 2, 3]
    assert [parts("a" * count) for count in (160, 161, 306, 307)] == [1, 2, 2, 3]


def test_a_language_nobody_knows_is_the_first() -> None:
    assert [language_of(each) for each in ({}, {"language": "en"}, {"language": "xx"})] == ["zh", "en", "zh"]
    assert grouped("38479649773") == "384 7964 9773"
