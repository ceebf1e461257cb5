"""SMTPy: e-mail aliases on your own domains, built around Postfix.

Read it in this order. `mail` holds the nouns of RFC 5321 and 5322; `directory` what people have declared about their
addresses and how one address is resolved; `signing` is DKIM and ARC, `authn` who vouches for what arrived; `routing`
what to do with a message; `srs` the return addresses, `zone` the DNS records a domain has to publish. None of these
touches the world. `resolver` asks DNS, `store` is all the SQL, `notices` the mail SMTPy writes itself, `backup` what an
empty machine needs to come back, `admin` every change a person can make. `lookup`, `policy` and `milter` are the three
processes Postfix asks, on `serving` (sockets), the first two with `patience` (deadlines), all with a `pulse` (how they
do), `crashes` and `spans` (defects, and what takes how long, told to who wants to hear); `worker` does what comes round
again, and follows Postfix's log, which `maillog` reads; `queue` is Postfix's queue in the hands of its operator,
`doctor` says what is wrong with an installation, `metrics` how much of everything there is, `explain` what would become
of a message; `seed` makes a town up to look at; `cli` is the `smtpy` command. The message's way through them is drawn
in docs/architecture.md.
"""
