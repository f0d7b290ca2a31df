"""HTTP/1.1 (RFC 9112) as httptools reads it, within bounds: a third of the time that h11 takes."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes of a request that are no body: its head, what separates chunks, trailers


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which would keep a head that never ends."""

    _since_body = 0  # bytes that came and were not the body of a request
    _has_head = False  # of the request that is read

    def data_received(self, data: bytes) -> None:
        """Read on; a request that says too much beside its body is refused."""
        self._since_body += len(data)
        super().data_received(data)
        if self._since_body > MAX_HEAD and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._has_head = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Have it answered."""
        self._has_head = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which whoever reads it bounds."""
        self._since_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._since_body = 0
        super().on_message_complete()

    def _refuse(self) -> None:
        if self._is_answering():
            self.transport.abort()
        else:
            self.send_400_response("The head of the request is too long.")

    def _is_answering(self) -> bool:
        was_answered = getattr(self.cycle, "response_complete", True)  # before the first, there is no cycle
        return self._has_head or not was_answered
