"""What others may ask of our hub, and making sure that it was they who asked. Pure.

https://www.w3.org/TR/websub/, whose sections are named here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from syndicate.alerts.outcome import Later
from syndicate.alerts.retry import RetryAt, after_attempt
from syndicate.errors import RefusedError
from syndicate.http.addresses import Network, refusal, target
from syndicate.model.hub import HubAnswer, HubMode, HubRequest, Room
from syndicate.sources.websub import parameters
from syndicate.store.rows import host_of

SHORTEST_LEASE, USUAL_LEASE, LONGEST_LEASE = timedelta(hours=1), timedelta(days=10), timedelta(days=30)
MAX_SECRET = 199  # bytes (5.1)
MAX_URL = 2048  # characters
TRIES = 3  # of asking a callback that gives no answer
NOT_PUSHED = "this hub pushes only the feeds of its own site, and this address is none of them"
_PORTS = (80, 443)
_LOWEST_PORT = 1024  # but for those; below it, servers speak what a request could be taken for


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a request is answered."""

    status: int
    text: str = ""
    retry_after: int | None = None  # seconds


REPLY_BY_ROOM = {
    Room.TAKEN: Reply(status=202, text="Your callback is asked whether it means that."),
    Room.TOPIC_FULL: Reply(status=503, text="This feed has all the subscribers it may.", retry_after=3600),
    Room.HOST_FULL: Reply(status=503, text="The callback's host has all it may.", retry_after=3600),
    Room.FULL: Reply(status=503, text="This hub has all the subscribers it may.", retry_after=3600),
    Room.BUSY: Reply(status=429, text="Too many requests wait for their callbacks.", retry_after=60),
}


def read_request(body: bytes, topics: Collection[str], allowed: Sequence[Network]) -> HubRequest | Reply:
    """Return what is asked (5.1), or what is wrong with it. What is asked of an unknown topic is a denial.

    Args:
        body: an application/x-www-form-urlencoded form. Parameters that do not begin with `hub.` are ignored.
        topics: that are pushed.
        allowed: networks that are not public and may be asked all the same.
    """
    said = parameters(body.decode("ascii", errors="replace"))
    if said is None:
        return _wrong("The form can't be read: UTF-8 and percent-encoding are wanted, and each hub.* once.")
    mode, topic, callback = (said.get(f"hub.{name}", "") for name in ("mode", "topic", "callback"))
    if mode not in (HubMode.SUBSCRIBE, HubMode.UNSUBSCRIBE):
        return _wrong("hub.mode must be subscribe or unsubscribe; what is new, this hub knows by itself.")
    wrong = _wrong_topic(topic) or _wrong_callback(callback, allowed)
    if wrong:
        return _wrong(wrong)
    lease, secret = lease_of(said.get("hub.lease_seconds", "")), said.get("hub.secret", "")
    if lease is None:
        return _wrong("hub.lease_seconds must be a number of seconds, in digits.")
    if len(secret.encode()) > MAX_SECRET:
        return _wrong(f"hub.secret must be shorter than {MAX_SECRET + 1} bytes.")
    is_unknown = mode == HubMode.SUBSCRIBE and topic not in topics
    return HubRequest(
        mode=HubMode.DENIED if is_unknown else HubMode(mode),
        topic=topic,
        callback=callback,
        host=host_of(target(callback).url),
        secret=secret or None,
        lease=lease,
        reason=NOT_PUSHED if is_unknown else "",
    )


def lease_of(seconds: str) -> timedelta | None:
    """Return for how long a subscription holds that was asked for; None for what is no number."""
    if not seconds:
        return USUAL_LEASE
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    return min(max(timedelta(seconds=int(seconds[:10])), SHORTEST_LEASE), LONGEST_LEASE)


def _wrong(text: str) -> Reply:
    return Reply(status=400, text=text)


def _wrong_topic(topic: str) -> str | None:
    if not topic:
        return "hub.topic is missing: the address that the feed says is its own."
    return f"hub.topic must be at most {MAX_URL} characters long." if len(topic) > MAX_URL else None


def _wrong_callback(callback: str, allowed: Sequence[Network]) -> str | None:
    if not callback:
        return "hub.callback is missing."
    if len(callback) > MAX_URL or "#" in callback:
        return f"hub.callback must be at most {MAX_URL} characters long, and without a fragment."
    try:
        at = target(callback)
    except RefusedError as error:
        return f"hub.callback is {error}."
    why = at.address and refusal(at.address, allowed)
    if why:
        return f"hub.callback is refused: {why}."
    if at.port not in _PORTS and at.port < _LOWEST_PORT:
        return f"hub.callback must be on port 80, 443 or above {_LOWEST_PORT - 1}."
    return None


# --------------------------------------------------------------------------- verifying


def question(request: HubRequest, challenge: str) -> str:
    """Return the address by which a callback is asked whether it means it (5.3), or told that it is denied.

    What the callback's own query says stays as it is.
    """
    said = {"hub.mode": str(request.mode), "hub.topic": request.topic}
    match request.mode:
        case HubMode.DENIED:
            said["hub.reason"] = request.reason
        case HubMode.UNSUBSCRIBE:
            said["hub.challenge"] = challenge
        case HubMode.SUBSCRIBE:
            said |= {
                "hub.challenge": challenge,
                "hub.lease_seconds": str(round(request.lease.total_seconds())),
            }
    return f"{request.callback}{'&' if '?' in request.callback else '?'}{urlencode(said)}"


def is_meant(status: int, body: bytes, challenge: str) -> bool:
    """Whether an answer confirms what was asked (5.3): a success that echoes the challenge, and only that."""
    return 200 <= status < 300 and body == challenge.encode()


def answer_in_words(status: int) -> str:
    """Return what an answer that does not confirm was."""
    return f"it answered {status}" + (", but without the challenge" if 200 <= status < 300 else "")


def after_asking(
    request: HubRequest, *, is_confirmed: bool, may_yet: str | None, now: datetime, jitter: float
) -> HubAnswer:
    """Return what follows from having asked a callback.

    Args:
        may_yet: why there was no answer that settles it; None: there was.
        jitter: 0..1.
    """
    next_try_at = None
    if may_yet and request.tries + 1 < TRIES:
        again = after_attempt(
            attempts_before=request.tries, outcome=Later(reason=may_yet), now=now, jitter=jitter
        )
        next_try_at = again.at if isinstance(again, RetryAt) else None
    return HubAnswer(request=request, is_confirmed=is_confirmed, next_try_at=next_try_at)
