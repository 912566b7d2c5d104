"""Engines by name."""

import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vivavoce.clock import Clock
from vivavoce.engine.fake import ScriptedDetector, ScriptedSpeaker, ScriptedThinker, ScriptedTranscriber
from vivavoce.engine.registry import GROUPS, EngineSpec, Opener, Registry
from vivavoce.errors import ConfigError
from vivavoce.testing.clock import ManualClock

HERE = __name__
PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]

opened: list[Mapping[str, str]] = []


def open_detector(options: Mapping[str, str], clock: Clock) -> ScriptedDetector:
    opened.append(options)
    return ScriptedDetector()


def open_transcriber(options: Mapping[str, str], clock: Clock) -> ScriptedTranscriber:
    return ScriptedTranscriber([])


def open_thinker(options: Mapping[str, str], clock: Clock) -> ScriptedThinker:
    if options:
        raise ConfigError("no options")
    return ScriptedThinker([])


def open_speaker(options: Mapping[str, str], clock: Clock) -> ScriptedSpeaker:
    return ScriptedSpeaker()


not_a_function = "just words"


def point(kind: str, name: str, value: str) -> EntryPoint:
    return EntryPoint(name, f"{HERE}:{value}" if ":" not in value else value, GROUPS[kind])


MINE = Registry(
    [
        point("detector", "mine", "open_detector"),
        point("detector", "mine", "open_detector"),
        point("detector", "another", "open_detector"),
        point("transcriber", "mine", "open_transcriber"),
        point("thinker", "mine", "open_thinker"),
        point("speaker", "mine", "open_speaker"),
        point("speaker", "words", "not_a_function"),
        point("speaker", "missing", "no_such_package_at_all:open_speaker"),
        point("speaker", "renamed", "open_loudspeaker"),
        point("speaker", "twice", "open_speaker"),
        point("speaker", "twice", "open_detector"),
    ]
)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("house", "house", {}),
        (" house ", "house", {}),
        ("house:", "house", {}),
        ("my-engine_2", "my-engine_2", {}),
        ("espeak:voice=en-gb,pitch=40", "espeak", {"voice": "en-gb", "pitch": "40"}),
        ("espeak: voice = en-gb , pitch=40", "espeak", {"voice": "en-gb", "pitch": "40"}),
        ("house:name=Ann,, the elder", "house", {"name": "Ann, the elder"}),
        (
            "chat:http://127.0.0.1:11434/v1#llama3.2",
            "chat",
            {"url": "http://127.0.0.1:11434/v1", "model": "llama3.2"},
        ),
        (
            "chat:https://api.openai.com/v1#gpt-5,key_env=OPENAI_API_KEY,effort=none",
            "chat",
            {"url": "https://api.openai.com/v1", "model": "gpt-5", "key_env": "OPENAI_API_KEY", "effort": "none"},
        ),
        (
            "chat:http://h:8000/v1?a=b#org/model:3b",
            "chat",
            {"url": "http://h:8000/v1?a=b", "model": "org/model:3b"},
        ),
        ("chat:http://h:8000/v1", "chat", {"url": "http://h:8000/v1"}),
        ("chat:url=http://h:8000/v1,model=m", "chat", {"url": "http://h:8000/v1", "model": "m"}),
    ],
)
def test_an_engine_is_named_on_one_line(text: str, name: str, options: dict[str, str]) -> None:
    spec = EngineSpec.parse(text)
    assert (spec.name, dict(spec.options)) == (name, options)


@pytest.mark.parametrize(
    "text", ["", ":", ":a=b", "two words", "http://h/v1#m", "a:b", "a:b=1,", "a:=1", "a:b=1,b=2", "a:http://h/v1#m,b"]
)
def test_what_names_no_engine_is_refused(text: str) -> None:
    # A URL alone has the form of a name and a path, and no engine is called "http".
    with pytest.raises(ConfigError):
        MINE.detector(EngineSpec.parse(text), ManualClock())


def test_options_do_not_print() -> None:
    spec = EngineSpec.parse("chat:http://h/v1#m,key=sk-secret")
    assert repr(spec) == "EngineSpec(chat: url=***, model=***, key=***)"
    assert str(EngineSpec("house")) == "EngineSpec(house)"


@pytest.mark.parametrize("text", ["my engine:key=sk-secret", "chat:http://h/v1#m,sk-secret", "chat:sk-secret"])
def test_options_do_not_print_in_errors_either(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        EngineSpec.parse(text)
    assert "sk-secret" not in refused.value.message


def test_each_kind_is_opened_by_name() -> None:
    clock = ManualClock()
    assert isinstance(MINE.detector(EngineSpec("mine", {"a": "1"}), clock), ScriptedDetector)
    assert opened[-1] == {"a": "1"}
    assert isinstance(MINE.transcriber(EngineSpec("mine"), clock), ScriptedTranscriber)
    assert isinstance(MINE.thinker(EngineSpec("mine"), clock), ScriptedThinker)
    assert isinstance(MINE.speaker(EngineSpec("mine"), clock), ScriptedSpeaker)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refused:
        MINE.detector(EngineSpec("his"), ManualClock())
    assert "another, mine" in refused.value.message
    with pytest.raises(ConfigError):
        Registry([]).thinker(EngineSpec("house"), ManualClock())


@pytest.mark.parametrize("name", ["words", "missing", "renamed", "twice"])
def test_an_engine_that_cannot_be_loaded_says_why(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        MINE.speaker(EngineSpec(name), ManualClock())
    assert repr(name) in refused.value.message


def test_wrong_options_are_the_engines_own_refusal() -> None:
    with pytest.raises(ConfigError):
        MINE.thinker(EngineSpec("mine", {"colour": "red"}), ManualClock())


def test_names_are_listed_once_each() -> None:
    assert MINE.names("detector") == ("another", "mine")
    assert MINE.names("transcriber") == ("mine",)


def test_what_is_installed_is_found_without_being_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "somebodys_engines-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-engines\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[vivavoce.speaker]\nsomebody = somebodys_engines:open_speaker\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert "somebody" in Registry().names("speaker")
    assert "somebody" not in Registry().names("thinker")


def test_our_own_thinkers_open_as_the_package_declares_them() -> None:
    declared = PROJECT["entry-points"]["vivavoce.thinker"]
    registry = Registry(EntryPoint(name, value, "vivavoce.thinker") for name, value in declared.items())
    assert registry.names("thinker") == ("chat", "house")
    assert registry.thinker(EngineSpec.parse("house"), ManualClock()).traits.name == "house"
    chat = EngineSpec.parse("chat:http://127.0.0.1:11434/v1#llama3.2")
    assert registry.thinker(chat, ManualClock()).traits.models == ("llama3.2",)


def test_a_factory_is_just_a_function() -> None:
    opener: Opener[ScriptedDetector] = open_detector
    assert opener({}, ManualClock()).traits.name == "scripted"
