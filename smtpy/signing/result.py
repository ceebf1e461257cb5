"""The results of an authentication method, as RFC 8601 section 2.7 names them."""

from enum import StrEnum


class Result(StrEnum):
    """SPF alone knows softfail. `temperror` is a look-up that failed; trying again may help."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"
    NONE = "none"
