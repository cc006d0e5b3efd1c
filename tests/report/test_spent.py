"""The protocol as a document: every item is filled from the protocol, or MISSING with the key that would fill it."""

import dataclasses
import json

import pytest
from tests.cases import Typist

from nof1.errors import WriteError
from nof1.report.spent import items, missing_words, render_html, render_markdown
from nof1.study.protocols import list_protocols, load_protocol, write_document
from nof1.trial.about import About
from nof1.trial.protocol import parse_protocol

KEYS = [field.name for field in dataclasses.fields(About)]
SMALL = """
title = {title}
question = "Does it?"
[[arm]]
code = "tea"
label = {label}
[[arm]]
code = "nothing"
label = "No tea"
reference = true
[design]
scheme = {scheme}
[[outcome]]
measure = "deep_min"
[about]
{about}
"""
HOSTILE = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "| a | b |",
    "# h `c`",
)


def small(*, title="Tea", label="A cup of tea", scheme="randomised-pairs", **about):
    """An open-label protocol that says little of itself."""
    told = "\n".join(f"{key} = {json.dumps(text)}" for key, text in about.items())
    names = {"title": title, "label": label, "scheme": scheme}
    return parse_protocol(SMALL.format(about=told, **{name: json.dumps(text) for name, text in names.items()}))


@pytest.mark.parametrize("protocol", list_protocols(), ids=lambda protocol: protocol.id)
def test_every_protocol_of_the_library_is_a_document(protocol):
    """Each becomes Markdown and HTML, twice the same, with its hash and every item, and says what is MISSING."""
    for render in (render_markdown, render_html):
        text = render(protocol)
        assert text == render(protocol)
        assert protocol.sha256 in text
        for item in items(protocol):
            assert f"{item.number} {item.topic}" in text
    assert render_markdown(protocol).count("**MISSING**") == sum(item.text is None for item in items(protocol))


@pytest.mark.parametrize("key", KEYS)
def test_each_key_fills_its_own_item_and_no_other(key):
    """What is said under [about] stands in one item, which was MISSING or said less, and nothing else changes."""
    before, after = items(small()), items(small(**{key: "Said by hand."}))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.text != new.text and old.number != "3"]
    ((old, new),) = changed
    assert new.key == key
    assert new.text.endswith("Said by hand.")
    assert old.text is None or new.text.startswith(old.text)


def test_a_protocol_that_says_all_has_nothing_missing():
    """With every key filled the document says that every item is there; without any it names each that is not."""
    full = small(**dict.fromkeys(KEYS, "Yes."))
    assert missing_words(full).startswith("All ")
    assert "MISSING" not in render_markdown(full)
    bare = small()
    absent = [item for item in items(bare) if item.text is None]
    assert all(item.key in KEYS for item in absent)
    assert all(f"{item.topic} ({item.number})" in missing_words(bare) for item in absent)


def test_a_sealed_trial_says_who_can_read_the_order_and_an_open_one_that_all_can():
    """Concealment, packing, blinding and emergency tell what the protocol does, or why they do not apply."""
    sealed = {item.number: item.text for item in items(load_protocol("magnesium-glycinate"))}
    opened = {item.number: item.text for item in items(small())}
    assert "custodian" in sealed["16b"]
    assert "custodian" in sealed["16c"]
    assert "participant and clinician" in sealed["17a"]
    assert opened["16b"].startswith("Not applicable")
    assert opened["17b"].startswith("Not applicable")
    assert opened["17a"] == "Nobody is blinded."


def test_an_order_that_is_brought_is_not_said_to_be_drawn():
    """A fixed schedule has no orders to count, no smallest p, and no planned number of periods."""
    told = {item.number: item.text for item in items(small(scheme="fixed"))}
    assert "not drawn" in told["16a"]
    assert "brought as a file" in items(small(scheme="fixed"))[8].text


def test_the_nights_of_the_plan_are_added_up():
    """Six blocks of two periods of ten nights and a week of run-in are 127 nights; 64 orders reach p = 0.031."""
    told = {item.topic: item.text for item in items(small())}
    assert "127 nights" in told["Periods, run-in and washout"]
    assert "64 orders" in told["How the order is drawn"]
    assert "0.031" in told["How the order is drawn"]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_others_stay_text(text):
    """Markup in a title, a label or a word about the trial acts neither in HTML nor in Markdown."""
    protocol = small(title=text, label=text, ethics=text)
    page, document = render_html(protocol), render_markdown(protocol)
    for active in ("<script", "<img", "javascript:alert(1)</"):
        assert active not in page
    for line in document.splitlines():
        assert not line.startswith(("|", "<"))
        assert "](" not in line.replace("\\](", "")
        assert "<" not in line.replace("\\<", "")


def test_the_command_writes_a_file_once(typist: Typist):
    """Markdown or HTML by the ending, with the hash of what was written; other contents are not written over."""
    path = typist.home / "tea.md"
    told = json.loads(typist.does("protocols", "document", "magnesium-glycinate", path, "--json"))
    assert path.read_text() == render_markdown(load_protocol("magnesium-glycinate"))
    assert write_document(load_protocol("magnesium-glycinate"), path) == told["sha256"]
    assert [item["text"] for item in told["items"]] == [one.text for one in items(load_protocol("magnesium-glycinate"))]
    typist.does("protocols", "document", "magnesium-glycinate", typist.home / "tea.html")
    assert (typist.home / "tea.html").read_text().startswith("<!doctype html>")
    with pytest.raises(WriteError, match="another name"):
        write_document(load_protocol("magnesium-citrate"), path)
    assert "MISSING" in typist.does("protocols", "document", "magnesium-glycinate")
