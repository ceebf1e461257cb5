"""How the findings of several resolvers become one."""

import pytest

from smtpy.zone.findings import Finding, Status, agree
from smtpy.zone.records import Kind

OK, WARNING, UNKNOWN, MISSING, WRONG = Status

# what each resolver shows, and what is said
TABLE = {
    (OK,): OK,
    (OK, OK): OK,
    (OK, WARNING): WARNING,
    (OK, UNKNOWN): WARNING,
    (OK, MISSING): WARNING,
    (WARNING, WRONG): WARNING,
    (MISSING, MISSING): MISSING,
    (MISSING, WRONG): WRONG,
    (MISSING, UNKNOWN): MISSING,
    (UNKNOWN, UNKNOWN): UNKNOWN,
    (OK, OK, MISSING): WARNING,
    (OK, UNKNOWN, WRONG): WARNING,
}


@pytest.mark.parametrize(("seen", "said"), TABLE.items())
def test_one_out_of_many(seen: tuple[Status, ...], said: Status) -> None:
    for order in (seen, seen[::-1]):
        views = [
            (f"192.0.2.{number}", Finding(Kind.SPF, "our.example", status, True, "TXT x", (), "do it"))
            for number, status in enumerate(order)
        ]
        assert agree(views).status is said
