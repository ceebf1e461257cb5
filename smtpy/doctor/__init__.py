"""What is wrong with an installation, each finding with its fix: for `smtpy doctor`, and for the page of operators.

Nothing is changed, and each socket, each DNS server and each smtpd is asked no more than one harmless question.
`rounds` has the checks in their order, from causes to consequences; `finding` is what they find; the others look:

    files clock disk          the machine
    database upkeep outward   what the database tells: of itself, of keys and DNS, of deliveries
    standby                   the one that mail is decided from as well
    backups services web      what SMTPy does beside mail, its services, its pages
    resolvers                 the DNS servers it asks
    mta postfix               what Postfix's configuration must say
    smtpd listeners certificate   Postfix as a client meets it
    hostname blocklists       this host as the world sees it

Who looks matters: what is closed to them is a finding, too. What could not be asked is none: it is said, as EX_OK.
docs/doctor.md explains each.
"""
