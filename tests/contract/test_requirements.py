"""The manifest of requirements holds: nothing is claimed that no test shows, and nothing is left out silently."""

from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT
from tests.contract import test_response_field, test_session_field
from tests.contract.manifest import faults, names_in, read

GOOD: Final = """title = "Turn taking"

["turn.click"]
sentence = "A click starts no turn."
source = "OpenAI's guide to voice activity detection"
sure = "documented"
tests = ["tests/contract/test_turn.py::test_a_click"]

["turn.sip"]
sentence = "Keys that are pressed on a telephone are told."
source = "types of the openai package 3.51"
sure = "types"
kept = "no"
because = "No telephone can call."

["turn.wait"]
sentence = "After `0.2` s, e.g. a breath, the turn ends."
source = "nobody knows"
sure = "unknown"
chosen = "200 ms."
differs = "Sooner when asked."
tests = ["tests/page/turn.test.mjs::a breath ends it", "tests/unit/test_turn.py::TestWait::test_a_breath"]
"""


def repository(root: Path, manifest: str) -> Path:
    files = {
        "contract/requirements/turn.toml": manifest,
        "tests/contract/test_turn.py": "async def test_a_click(): ...\ndef helps(): ...\n",
        "tests/contract/test_requirements.py": "def test_the_manifest(): ...\n",
        "tests/page/turn.test.mjs": "test('a breath ends it', () => {});\n",
        "tests/unit/test_turn.py": "class TestWait:\n    def test_a_breath(self): ...\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_every_requirement_is_shown_or_excused_and_every_test_of_the_contract_is_wanted() -> None:
    assert faults(ROOT) == []


def test_every_field_of_a_session_and_of_a_response_has_its_requirement() -> None:
    requirements, _ = read(ROOT / "contract" / "requirements")
    session = {*test_session_field.INPUT, *test_session_field.REALTIME}
    response = {*test_response_field.SHOWN, *test_response_field.HELD}
    fields = {f"session.field.{path}" for path in session} | {f"response.field.{path}" for path in response}
    assert {field.replace("<", ".").replace(">", "") for field in fields} - requirements.keys() == set()


def test_a_manifest_in_order_has_no_fault(tmp_path: Path) -> None:
    assert faults(repository(tmp_path, GOOD)) == []


CLICK: Final = "tests/contract/test_turn.py::test_a_click"
BREATH: Final = "tests/page/turn.test.mjs::a breath ends it"


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (f'tests = ["{CLICK}"]\n', "", "turn.click: has no test"),
        (f'["{CLICK}"]', f'["{BREATH}"]', f"{CLICK}: is named by no requirement"),
        (f'["{BREATH}", ', f'["{BREATH}", "{BREATH}", ', "turn.wait: its tests are not sorted"),
        ("::test_a_click", "::test_a_clack", "turn.click: there is no test tests/contract/test_turn.py::test_a_clack"),
        ("::test_a_click", "::helps", "turn.click: there is no test tests/contract/test_turn.py::helps"),
        ("::test_a_click", "::test_a_click[loud]", "turn.click: there is no test"),
        ("contract/test_turn.py::", "contract/test_gone.py::", "turn.click: there is no test tests/contract/test_gone"),
        ("a breath ends it", "a breath", "turn.wait: there is no test tests/page/turn.test.mjs::a breath"),
        ("TestWait::test_a_breath", "test_a_breath", "turn.wait: there is no test tests/unit/test_turn.py"),
        ('because = "No telephone can call."\n', "", "turn.sip: what is not kept has `because`"),
        ('kept = "no"\n', f'kept = "no"\ntests = ["{BREATH}"]\n', "turn.sip: what is not kept has"),
        ('kept = "no"\n', 'kept = "yes"\n', "turn.sip: Invalid enum value 'yes'"),
        ('kept = "no"\n', "", "turn.sip: `because` goes with"),
        ('["turn.wait"]', '["turn.click"]', "turn.toml: no TOML, or an id twice"),
        ('["turn.wait"]', '["turn.pause"]', "turn.pause: belongs before turn.sip"),
        ('["turn.wait"]', '["wait"]', "wait: an id is `turn.` and words"),
        ('["turn.wait"]', '["turn.Wait more"]', "turn.Wait more: an id is `turn.` and words"),
        ('title = "Turn taking"\n', "", "turn.toml: has no title"),
        ('sure = "documented"\n', "", "turn.click: Object missing required field `sure`"),
        ('"documented"', '"surely"', "turn.click: Invalid enum value 'surely'"),
        ("because = ", "reason = ", "turn.sip: Object contains unknown field `reason`"),
        ("no turn.", "no turn. It is short.", "turn.click: wants one sentence"),
        ("no turn.", "no turn", "turn.click: wants one sentence"),
        ("no turn.", f"no turn, {'never ' * 50}.", "turn.click: wants one sentence"),
        ("A click starts no turn.", "Keys that are pressed on a telephone are told.", "turn.sip: says the same"),
        ("OpenAI's guide to voice activity detection", " ", "turn.click: has no source"),
        ("OpenAI's guide to voice", "section 4, voice", "turn.click: 'section 4' says nothing to a stranger"),
        ('chosen = "200 ms."\n', "", "turn.wait: what is unknown needs `chosen`"),
        ('"documented"\n', '"documented"\nchosen = "This."\n', "turn.click: what is unknown needs `chosen`"),
    ],
)
def test_a_fault_in_the_manifest_is_found(tmp_path: Path, good: str, bad: str, fault: str) -> None:
    spoilt = GOOD.replace(good, bad, 1)
    assert spoilt != GOOD
    found = faults(repository(tmp_path, spoilt))
    assert any(line.startswith(fault) for line in found), found


def test_a_test_is_known_by_the_name_that_pytest_gives_it() -> None:
    assert "test_a_test_is_known_by_the_name_that_pytest_gives_it" in names_in(Path(__file__))
