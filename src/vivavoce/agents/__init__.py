"""A `RealtimeModel` for the `openai-agents` package, whose agents then talk over this client.

    runner = RealtimeRunner(agent, model=vivavoce.agents.Model())

Needs `pip install "vivavoce[agents]"`.
"""

try:
    import agents.realtime as _needed
except ImportError as error:
    raise ImportError(
        "vivavoce.agents is for agents of the openai-agents package, which is not installed. "
        'Get both that fit: pip install "vivavoce[agents]"'
    ) from error

from vivavoce.agents.model import Model, Options

__all__ = ["Model", "Options"]

del _needed
