"""Public suffixes: below which names belong to different people (publicsuffix.org), from the list inside the package.

The list is read once, when it is first asked: that takes some 40 ms, an answer 3 µs. No network. Its private section
counts: customers of a hosting company are no more one organisation than those of a registry.
"""

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList


class Suffixes:
    """Names are given as A-labels or as Unicode, in any letter case, with or without the final dot."""

    def organizational(self, domain: str) -> str:
        """The name one label below the public suffix, in lower case; "" for a suffix itself and for what is no name."""
        return _organizational(domain)

    def is_suffix(self, domain: str) -> bool:
        """Whether the name is a public suffix; a top-level name nobody knows is one."""
        return _listed().is_public(domain)


@lru_cache(maxsize=4096)
def _organizational(domain: str) -> str:
    return _listed().privatesuffix(domain) or ""


@cache
def _listed() -> PublicSuffixList:
    return PublicSuffixList()
