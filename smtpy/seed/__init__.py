"""A made-up town, so that pages have something to show: people, domains, aliases, and sixty days of their mail.

`plant` fills an empty database; the same number gives the same town. All names are reserved ones (RFC 2606, RFC 6761)
and all addresses are of documentation networks (RFC 5737), so nothing of it can reach anybody. `small` is for looking
at, `large` for measuring: 100,000 aliases of one person, a million rows of the journal.

What has an administrative act is done by it (`cast`); what there is much of is written in bulk (`crowd`, `mail`, by
`bulk`), the audit trail and the tallies with it. `words` are the names.
"""

from smtpy.seed.plant import PASSWORD, SIZES, Planted, plant

__all__ = ["PASSWORD", "SIZES", "Planted", "plant"]
