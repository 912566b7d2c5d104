"""What a program that reads slowly gets to see."""

import asyncio

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ, silence
from vivavoce.client.feed import SOUND_S, CaptionFeed, Feed, SoundFeed
from vivavoce.client.outlet import Outlets
from vivavoce.errors import Fault, TransportError, VivaError
from vivavoce.session.caption import Caption, CaptionState, Role
from vivavoce.session.ledger import Ledger


async def test_events_come_in_order_and_end_with_the_call() -> None:
    feed = Feed[int]()
    for number in range(3):
        feed.put(number, 1)
    feed.close(None)
    assert [number async for number in feed] == [0, 1, 2]
    with pytest.raises(TransportError):
        await feed.get()


async def test_a_reader_who_fell_behind_is_told_once_and_goes_on() -> None:
    feed = Feed[int](limit=3)
    for number in range(5):
        feed.put(number, 1)
    with pytest.raises(VivaError) as told:
        await feed.get()
    assert told.value.fault is Fault.CALLER
    assert [await feed.get() for _ in range(3)] == [2, 3, 4]


async def test_large_events_are_bounded_by_their_size_and_the_last_is_kept() -> None:
    feed = Feed[int](limit_bytes=10)
    feed.put(1, 6)
    feed.put(2, 60)
    with pytest.raises(VivaError):
        await feed.get()
    assert await feed.get() == 2


async def test_a_waiting_reader_is_woken() -> None:
    feed = Feed[int]()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(feed.get())
        await asyncio.sleep(0)
        feed.put(7, 1)
    assert reading.result() == 7


async def test_a_call_that_fails_fails_its_readers() -> None:
    error = TransportError("lost")
    feed, sounds, captions = Feed[int](), SoundFeed(), CaptionFeed()
    feed.put(1, 1)
    for each in (feed, sounds, captions):
        each.close(error)
    assert await feed.get() == 1
    with pytest.raises(TransportError):
        await feed.get()
    with pytest.raises(TransportError):
        assert [number async for number in feed] == []
    with pytest.raises(TransportError):
        assert [sound async for sound in sounds] == []
    with pytest.raises(TransportError):
        assert [caption async for caption in captions] == []


async def test_old_sound_is_dropped_when_nobody_listens() -> None:
    feed = SoundFeed()
    for second in range(SOUND_S + 3):
        feed.put(np.full(RATE_HZ, second, np.int16))
    feed.close(None)
    assert [int(sound[0]) async for sound in feed] == list(range(3, SOUND_S + 3))


async def test_of_a_caption_only_the_newest_form_is_read() -> None:
    feed = CaptionFeed()
    for id, text in (("a", "Hel"), ("b", "Goo"), ("a", "Hello")):
        feed.put(Caption(id, Role.USER, text, CaptionState.WRITING))
    feed.close(None)
    assert [caption.text async for caption in feed] == ["Hello", "Goo"]


async def test_who_comes_after_the_end_finds_the_end() -> None:
    outlets = Outlets(Ledger({}))
    outlets.close(None)
    outlets.sound(silence(1))
    assert [sound async for sound in outlets.tap_sound()] == []
    assert [caption async for caption in outlets.tap_captions()] == []
