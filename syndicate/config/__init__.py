"""config.toml and rules/*.toml -> Config, or every problem at once as file:line: problem."""

from syndicate.config.durations import duration
from syndicate.config.public import public
from syndicate.config.reading import Reading, load, read
from syndicate.config.rule_files import Names, read_rules
from syndicate.config.selection import is_selected
from syndicate.config.values import suggestion

__all__ = [
    "Names",
    "Reading",
    "duration",
    "is_selected",
    "load",
    "public",
    "read",
    "read_rules",
    "suggestion",
]
