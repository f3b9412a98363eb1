"""What one example of the API's description is made of."""

from typing import Any, NamedTuple


class Example(NamedTuple):
    """The body of a reply with status 200, as text where it is a stream, and the request's."""

    reply: Any
    request: Any = None
