import pytest

from tests.unit.gateway.stand import KEY, OTHER_KEY, settings
from vivavoce.errors import ConfigError
from vivavoce.gateway.identity import Keyring, is_loopback, open_keyring, read_keys
from vivavoce.telemetry.secret import Secret


def test_each_key_is_an_identity_of_its_own_that_does_not_show_the_key() -> None:
    keyring = Keyring([Secret(KEY), Secret(OTHER_KEY)])
    anna, bela = keyring.recognise(Secret(KEY)), keyring.recognise(Secret(OTHER_KEY))
    assert anna is not None
    assert bela is not None
    assert anna != bela
    assert "anna" not in anna
    assert keyring.recognise(Secret(KEY)) == anna


@pytest.mark.parametrize("tried", ["", KEY[:-1], KEY + "x", KEY.upper(), "ключ"])
def test_anything_else_opens_nothing(tried: str) -> None:
    assert Keyring([Secret(KEY)]).recognise(Secret(tried)) is None


def test_a_keyring_does_not_hold_the_keys_themselves() -> None:
    assert KEY not in repr(vars(Keyring([Secret(KEY)])))


def test_on_loopback_without_keys_a_development_key_is_made_anew_each_time() -> None:
    first, second = open_keyring(settings(keys=())), open_keyring(settings(keys=()))
    assert first.development is not None
    assert second.development is not None
    assert first.development != second.development
    assert first.recognise(first.development) is not None
    assert first.recognise(second.development) is None


def test_with_keys_no_development_key_is_made() -> None:
    assert open_keyring(settings(keys=("short",))).development is None


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_where_others_can_call_there_is_no_start_without_keys(bind: str) -> None:
    with pytest.raises(ConfigError):
        open_keyring(settings(bind=bind, keys=()))


def test_where_others_can_call_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        open_keyring(settings(bind="0.0.0.0", keys=(KEY, "letmein")))
    assert "letmein" not in refused.value.message
    assert open_keyring(settings(bind="0.0.0.0", keys=(KEY,))).recognise(Secret(KEY)) is not None


@pytest.mark.parametrize(
    ("bind", "only_us"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_which_addresses_only_this_computer_reaches(bind: str, only_us: bool) -> None:
    assert is_loopback(bind) is only_us


def test_keys_are_read_from_a_list_with_commas() -> None:
    assert read_keys(" one , two,,three,") == (Secret("one"), Secret("two"), Secret("three"))
    assert read_keys("  ") == ()


@pytest.mark.parametrize("text", ["good,has blank", "schlüssel", "ek_looks_like_a_client_secret", "tab\tinside"])
def test_keys_that_could_not_work_are_refused_by_number_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_keys(text)
    assert text not in refused.value.message
    assert "number" in refused.value.message
