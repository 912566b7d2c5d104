"""Where a stranger's URL may lead."""

import pytest

from vivavoce.engine.mcp.reach import ForbiddenError, Reach, addresses, is_public


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_what_anybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.5.5",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "nonsense",
    ],
)
def test_what_lies_within_a_network_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "2130706433", "0x7f000001"])
async def test_a_name_that_leads_to_this_machine_is_refused_unless_all_may_be_reached(host: str) -> None:
    with pytest.raises(ForbiddenError, match="private network"):
        await addresses(host, 80, Reach.PUBLIC)
    assert await addresses(host, 80, Reach.ALL)


async def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ForbiddenError, match="not known"):
        await addresses("nowhere.invalid", 80, Reach.ALL)
