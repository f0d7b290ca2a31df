"""Telling others at once what is new in our feeds: a hub of our own, or one of others (WebSub)."""
