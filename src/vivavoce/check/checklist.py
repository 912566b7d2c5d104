"""Everything that is looked at, in order."""

from typing import Final

from vivavoce.check import address, admission, certificate, connection, conversation, relay
from vivavoce.check.conversation import RETURN_S
from vivavoce.check.hop import Hop

HOPS: Final = (
    Hop("url", address.look_at_url),
    Hop("name", address.look_up_name, ("url",)),
    Hop("tcp", address.connect_to_port, ("name",)),
    Hop("tls", certificate.shake_hands, ("tcp",)),
    Hop("http", admission.knock, ("tls",)),
    Hop("clock", admission.compare_clocks, ("http",)),
    Hop("key", admission.show_key, ("http",)),
    Hop("secret", admission.mint, ("key",)),
    Hop("stun", relay.ask_stun, ("key",)),
    Hop("turn", relay.ask_turn, ("key",), longer=lambda order: 2 * len(order.ice_servers) * order.patience_s),
    Hop("offer", connection.offer, ("key",)),
    Hop("udp", connection.find_path, ("offer",)),
    Hop("channel", connection.open_channel, ("udp",)),
    Hop("session", connection.meet_session, ("channel",)),
    Hop("heartbeat", connection.ping, ("session",)),
    Hop("websocket", connection.open_websocket, ("key",)),
    Hop("call", conversation.place_call, either=("session", "websocket")),
    Hop("sound", conversation.speak, ("call",), longer=lambda order: 2 * order.patience_s),
    Hop("steady", conversation.watch, ("call",), longer=lambda order: order.steady_s),
    Hop("return", conversation.come_back, ("call",), longer=lambda _: RETURN_S),
    Hop("clean-up", conversation.hang_up, ("call",)),
)
