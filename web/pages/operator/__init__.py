"""The pages of administrators, below /admin: to everybody else they are not there.

`health` is the first of them. Each subject is a module that hangs its pages on `frame.pages`.
"""

from web.pages.operator import announcements, audit, domains, health, invitations, queue, settings, users
from web.pages.operator.frame import pages

__all__ = ["announcements", "audit", "domains", "health", "invitations", "pages", "queue", "settings", "users"]
