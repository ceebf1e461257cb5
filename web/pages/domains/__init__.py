"""A member's domains: what their DNS is to say and says, rules, signing keys, settings."""

from web.pages.domains import keys, names, records, rules, settings
from web.pages.domains.frame import pages

__all__ = ["keys", "names", "pages", "records", "rules", "settings"]
