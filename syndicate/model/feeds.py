"""What is published: feeds of a rule, and those that collect several."""

from dataclasses import dataclass, field
from enum import StrEnum

LIMIT = 100


class Dedupe(StrEnum):
    """What has an entry of its own."""

    ITEM = "item"
    STORY = "story"  # all outlets that report the same thing share one


class Order(StrEnum):
    """What comes first in a feed."""

    PUBLISHED = "published"  # what was published last, or first seen, whichever is earlier
    MATCHED = "matched"  # what matched last


class FullText(StrEnum):
    """How much of an article its entry carries."""

    YES = "true"  # all that its outlet's feed, or its page, had
    SUMMARY = "summary"
    NONE = "none"  # its title and link


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """How a feed shows what it collects: `[feed]` of a rule, or `[[feed]]`."""

    title: str | None = None  # None: as what it is of
    limit: int = LIMIT  # entries of the document that readers subscribe to; the archive has all
    order: Order = Order.PUBLISHED
    full_text: FullText = FullText.YES
    dedupe: Dedupe = Dedupe.ITEM
    explain: bool = True  # a block below each article says why it is here
    public: bool = True  # whether the lists of feeds name it
    token: str | None = field(default=None, repr=False)  # a folder that nobody can guess; None: none


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What is published together."""

    id: str
    title: str
    about: str  # what it is of, in a sentence
    rules: tuple[str, ...] | None = None  # ids of those whose matches it collects; None: of all
    sources: tuple[str, ...] | None = None  # ids of those from which it collects them; None: from all
    settings: FeedSettings = field(default_factory=FeedSettings)

    @property
    def name(self) -> str:
        """Its files, relative to the folder of feeds, without the extension of a format."""
        return f"{self.settings.token}/{self.id}" if self.settings.token else self.id

    @property
    def is_listed(self) -> bool:
        """Whether the lists of feeds name it."""
        return self.settings.public and self.settings.token is None
