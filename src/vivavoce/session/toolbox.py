"""The tools of a session: which there are, what a response may call, and what clients have allowed."""

from collections.abc import Iterable

from msgspec import UnsetType

from vivavoce.session.answers import Answers
from vivavoce.session.approvals import Approvals
from vivavoce.session.conversation import Conversation
from vivavoce.session.declaration import ToolBook, ToolServing, ToolUser
from vivavoce.session.outbox import Outbox
from vivavoce.session.servers import Servers
from vivavoce.session.settings import Wish
from vivavoce.session.toolset import Catalogue
from vivavoce.wire.config import RealtimeSession, Tool
from vivavoce.wire.item import Item, McpApprovalResponse


class Toolbox:
    """Joins `Servers` and `Approvals` for a `Host`."""

    def __init__(self, out: Outbox, conversation: Conversation, answers: Answers, serving: ToolServing) -> None:
        self.servers = Servers(out, conversation)
        self.approvals = Approvals(answers)
        self._serving = serving

    def complete(self, wanted: ToolUser, session: RealtimeSession, param: str) -> ToolUser:
        """A session's update or a response's config with its tools as they will be in force.

        Raises:
            RequestError: tools that cannot be had, or a choice of one that is not there.
        """
        book = ToolBook(self._serving, self.servers.named, self.servers.tools)
        return book.complete(wanted, session, param)

    def declare(self, tools: Iterable[Tool] | UnsetType, now: float) -> None:
        """Tools are in force: ask the MCP servers among them what they can do."""
        if not isinstance(tools, UnsetType):
            self.servers.declare(tools, now)

    def ready(self, wish: Wish) -> bool:
        """Whether nothing is still to be known of tools that a response cannot do without."""
        return not any(map(self.servers.listing, wish.needs))

    def catalogue(self, wish: Wish) -> Catalogue:
        """What a response may call as of now."""
        return Catalogue.of(wish.tools, self.servers.tools)

    def check(self, item: Item) -> None:
        """Whether a client may put the item into the conversation, as far as tools go.

        Raises:
            RequestError: it answers what nobody asked.
        """
        if isinstance(item, McpApprovalResponse):
            self.approvals.check(item)

    def take(self, item: Item) -> None:
        """The client has put an item into the conversation."""
        if isinstance(item, McpApprovalResponse):
            self.approvals.take(item)

    def stop(self) -> None:
        """The call is over."""
        self.servers.stop()
        self.approvals.stop()
