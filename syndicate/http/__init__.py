"""The one door to the network: guarded, bounded, and the only place that knows how HTTP is spoken."""

from syndicate.http.client import Client
from syndicate.http.messages import Headers, Redirect, Response

__all__ = ["Client", "Headers", "Redirect", "Response"]
