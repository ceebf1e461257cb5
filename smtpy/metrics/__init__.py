"""What Prometheus reads of an installation (`smtpy metrics`): counted from what is written anyway.

What became of each message stands in the journal, with the microseconds it took; what became of its copies, in the
events of Postfix's log. One small process counts what is new there at each visit. Several processes of the milter,
their restarts and rows that were written late need no thought then, as they would with counters in each process; nor
does PostgreSQL, which gives numbers out of order: counting ends where `smtpy worker` has counted, below which no row is
still to come. The milter, policy and lookup serve nothing for it, and count only what stands nowhere else, how their
memory does: an addition for each question, and a small file every few seconds (smtpy.pulse).

Counters begin at zero with this process, as Prometheus expects, and tell of the whole installation: with a process on
each of several hosts, all tell the same (in PromQL: `max without (instance)`). The rest is looked at when asked for:
Postfix's queue through its helper, what checks of DNS found; and once a minute all that `smtpy doctor` looks at.
"""
