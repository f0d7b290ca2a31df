"""All of Syndicate on this machine, without internet: made-up outlets, rules, a webhook receiver."""

from syndicate.demo.demo import Options, run

__all__ = ["Options", "run"]
