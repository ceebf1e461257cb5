"""What is wrong with an installation, each finding with its fix: for `smtpy doctor`, and for the page of operators.

Nothing is changed, and each socket and each DNS server is asked no more than one harmless question. `rounds` has the
checks in their order, from causes to consequences; `finding` is what they find; the others look: `files`, `database`
(and `upkeep`, what in it needs care), `services`, `mta`. Who looks matters: what is closed to them is a finding, too.
"""
