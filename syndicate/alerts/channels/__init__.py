"""How alerts are put for each service that carries them: chat, mailboxes, and bodies of one's own. Pure.

An alert is put into words once (`wording`), shortened until it fits (`fitting`), and written the way a
service wants it (one module each, all with `body`, `request` and `outcome`). `channel` chooses among those by
the settings. Nothing here sends: a `Request` or a `Mail` says what is to be sent and where, and `outcome`
says what an answer means.
"""
