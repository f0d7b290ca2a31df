"""How a webhook is signed (Standard Webhooks, https://www.standardwebhooks.com). Pure."""

from datetime import UTC, datetime

from standardwebhooks import Webhook

from syndicate.model import Endpoint


def headers(endpoint: Endpoint, delivery: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of an attempt made now; signed with each of the endpoint's secrets."""
    ours = {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    if endpoint.secrets:
        # A receiver takes whichever it can verify: old and new overlap while a secret is replaced.
        signatures = (signature(secret, delivery, now, body) for secret in endpoint.secrets)
        ours["webhook-signature"] = " ".join(signatures)
    theirs = {name.lower(): value for name, value in endpoint.headers.items()}
    return {**theirs, **ours}


def signature(secret: str, delivery: str, now: datetime, body: bytes) -> str:
    """Return the signature `v1,...` over id, time and body; the secret is `whsec_...`."""
    # standardwebhooks takes the fields of the time for UTC's, whatever its zone.
    return Webhook(secret).sign(msg_id=delivery, timestamp=now.astimezone(UTC), data=body.decode())
