import re

from vivavoce.gateway.ids import new_id, new_secret


def test_an_id_is_its_prefix_and_21_letters() -> None:
    assert re.fullmatch(r"rtc_[0-9A-Za-z]{21}", new_id("rtc"))
    assert len(new_id("rtc")) <= 32


def test_a_secret_has_more_than_128_bits_of_chance() -> None:
    assert re.fullmatch(r"ek_[0-9A-Za-z]{32}", new_secret("ek").reveal())


def test_no_two_are_alike() -> None:
    assert len({new_id("rtc") for _ in range(1000)}) == 1000
