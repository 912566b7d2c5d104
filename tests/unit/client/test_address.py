"""Whether this machine still has the address that a connection was made from."""

import socket

from vivavoce.client.address import Address, source


async def test_an_address_on_the_way_to_a_server_is_known_and_stands() -> None:
    here = await source("127.0.0.1")
    assert here is not None
    assert here.stands


def test_an_address_that_this_machine_has_not_does_not_stand() -> None:
    assert not Address(socket.AF_INET, ("192.0.2.1", 4)).stands  # RFC 5737: nobody's
    assert not Address(socket.AF_INET6, ("2001:db8::1", 4, 0, 0)).stands


async def test_there_is_no_way_to_a_host_that_is_none() -> None:
    assert await source("no host") is None
