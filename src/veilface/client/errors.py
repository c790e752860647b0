"""What goes wrong on the other side."""

from __future__ import annotations

from veilface.errors import VeilfaceError


class RemoteError(VeilfaceError):
    """The service has refused a request; the message is its sentence.

    Attributes:
        status: HTTP status.
        request_id: What the service's logs call the request; None when it says nothing.
        retry_after: Seconds to wait before another try, with a status of 429.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
