"""config.toml and rules/*.toml -> Config, or every problem at once as file:line: problem."""

from syndicate.config.durations import duration
from syndicate.config.public import public, public_source
from syndicate.config.reading import Reading, load, read
from syndicate.config.rule_files import Names, read_rules
from syndicate.config.selection import is_selected
from syndicate.config.source_tables import source_table
from syndicate.config.values import identifier, suggestion, web_address
from syndicate.config.writing import Added, add_sources, load_to_extend

__all__ = [
    "Added",
    "Names",
    "Reading",
    "add_sources",
    "duration",
    "identifier",
    "is_selected",
    "load",
    "load_to_extend",
    "public",
    "public_source",
    "read",
    "read_rules",
    "source_table",
    "suggestion",
    "web_address",
]
