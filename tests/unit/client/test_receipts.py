"""What is sent again after a loss, and what is known to have come before."""

from vivavoce.client.receipts import Receipts
from vivavoce.wire.codec import decode_server
from vivavoce.wire.event import ServerEvent, UnknownEvent
from vivavoce.wire.heartbeat import ConnectionPong


def said(*labels: str) -> Receipts:
    receipts = Receipts()
    for label in labels:
        receipts.sent(f'{{"type":"response.cancel","event_id":"{label}"}}')
    return receipts


def told(label: str, kind: str = "response.done") -> ServerEvent | UnknownEvent:
    return decode_server(f'{{"type":"{kind}","event_id":"{label}","response":{{"id":"r"}}}}')


def labels(texts: list[str]) -> list[str]:
    return [text.split('"')[-2] for text in texts]


def test_what_the_server_has_not_read_is_sent_again_in_order() -> None:
    assert labels(said("a", "b", "c").resumed("a")) == ["b", "c"]
    assert labels(said("a", "b").resumed(None)) == ["a", "b"]
    assert said("a", "b").resumed("b") == []


def test_it_is_kept_until_it_is_known_to_have_been_read() -> None:
    receipts = said("a", "b")
    assert labels(receipts.resumed("a")) == ["b"]
    assert labels(receipts.resumed("a")) == ["b"], "lost once more"


def test_an_answered_ping_says_that_all_before_it_was_read() -> None:
    receipts = said("a", "b")
    receipts.pinged("p1")
    receipts.sent("c", "c")
    receipts.pinged("p2")
    receipts.answered(ConnectionPong(event_id="x", ping_event_id="p1"))
    assert receipts.resumed("b") == ["c"]
    assert receipts.resumed(None) == ["c"]


def test_a_pong_that_answers_nothing_says_nothing() -> None:
    receipts = said("a")
    for stray in ("p9", None):
        receipts.answered(ConnectionPong(event_id="x", ping_event_id=stray))
    assert labels(receipts.resumed(None)) == ["a"]


def test_a_server_that_counts_pings_is_understood_too() -> None:
    receipts = said("a")
    receipts.pinged("p1")
    receipts.sent("b", "b")
    assert receipts.resumed("p1") == ["b"]


def test_a_message_without_a_name_goes_with_those_around_it() -> None:
    receipts = said("a")
    receipts.sent("no JSON")
    receipts.sent("c", "c")
    assert receipts.resumed("a") == ["no JSON", "c"]
    assert receipts.resumed(None) == ["no JSON", "c"]


def test_a_ping_waits_behind_what_was_not_read_before_it() -> None:
    receipts = Receipts()
    receipts.sent("x" * 1000, "a")
    assert receipts.ahead == 0
    receipts.pinged("p1")
    receipts.sent("x" * 5000, "b")
    receipts.pinged("p2")
    assert receipts.ahead == 1000
    receipts.answered(ConnectionPong(ping_event_id="p1"))
    assert receipts.ahead == 5000
    receipts.answered(ConnectionPong(ping_event_id="p2"))
    assert receipts.ahead == 0


def test_the_last_event_that_came_is_remembered_of_whatever_kind_it_was() -> None:
    receipts = Receipts()
    assert receipts.asked() is None
    for event in (told("e1"), told("e2", "of.the.future"), decode_server("[]")):
        assert receipts.received(event)
    assert receipts.asked() == "e2"
    receipts.answered(ConnectionPong(event_id="e3"))
    assert receipts.asked() == "e3"


def test_what_came_while_the_server_was_asked_to_go_on_elsewhere_is_taken_once() -> None:
    receipts = Receipts()
    receipts.received(told("e1"))
    assert receipts.asked() == "e1"
    assert receipts.received(told("e2"))
    receipts.resumed(None)
    assert [receipts.received(told(label)) for label in ("e2", "e3")] == [False, True]


def test_of_a_connection_that_stays_nothing_is_repeated() -> None:
    receipts = Receipts()
    receipts.asked()
    receipts.received(told("e1"))
    receipts.stays()
    assert receipts.asked() == "e1"
    receipts.resumed(None)
    assert receipts.received(told("e1"))
