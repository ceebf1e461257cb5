"""Postfix's queue, shown and acted upon: by root at a terminal, and for the web pages through `smtpy queue serve`.

Postfix lets root alone hold, release and delete mail (postsuper(1)) and read queue files (postcat(1)). The web process
is not root, so a helper that is answers it on a UNIX socket, and knows seven things to do and no more: `protocol` is
what is said there, `decision` which of Postfix's commands that means and what their output says, both pure; `postfix`
runs them, bounded in time and output, never by a shell; `server` is the helper, `client` its other end.
"""
