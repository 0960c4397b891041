"""One request and its answer, for the middlewares that may refuse it at any moment."""

from starlette.types import Message, Receive, Scope, Send

from app.security.refusals import UNEXPECTED, Refusal

KEY = "facewhy.exchange"


class Exchange:
    """What is known of a request and its answer; `of` finds it in the scope.

    A refusal of what comes of the body cannot be raised: applications catch what they do not know. They are told
    that the client is gone, and what they answer is dropped.

    Attributes:
        refusal: what is answered instead of what the application says; None where nothing is refused.
        complete: whether all of the body has come.
        answered: whether the application has begun to answer.
        ended: whether it has answered.
    """

    def __init__(self, receive: Receive, send: Send):
        self._receive, self._send = receive, send
        self.refusal: Refusal | None = None
        self.complete = self.answered = self.ended = False

    def refuse(self, refusal: Refusal) -> Message:
        """Refuse the request from here on, and return what its application hears."""
        self.refusal = self.refusal or refusal
        return {"type": "http.disconnect"}

    async def receive(self) -> Message:
        """Wait for the next part of the body; where the request is refused, say that the client is gone."""
        if self.refusal:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self.complete = self.complete or message["type"] != "http.request" or not message.get("more_body")
        return message

    async def send(self, message: Message) -> None:
        """Pass the application's answer on, unless the request is refused; a bare 500 becomes our own sentence."""
        if message["type"] == "http.response.start" and not self.refusal:
            headers = dict(message.get("headers", ()))
            if message["status"] == 500 and not headers.get(b"content-type", b"").startswith(b"application/json"):
                self.refusal = UNEXPECTED
            self.answered = not self.refusal
        if self.answered:
            await self._send(message)
            self.ended = message["type"] == "http.response.body" and not message.get("more_body")


def of(scope: Scope) -> Exchange:
    """The exchange that a request belongs to."""
    return scope[KEY]
