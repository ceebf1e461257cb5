"""SMTPy measured beside bare Postfix and the stacks people build by hand: `python -m bench`, or `make bench`.

One run, one machine, the same load for all: smtp-source sends, smtp-sink takes, what stands between is measured.
README.md says what is measured and how to read it. The order to read the source in:

    machine     whose work keeps the processors busy
    accounting  processor time and memory of each component
    processes   starting, waiting until ready, stopping; nothing is left behind
    network     a network for all of it
    author      who writes the messages, and what DNS says of that domain
    stacks      what is compared: bare Postfix and SMTPy
    peers       what is compared: Postfix maps with opendkim and postsrsd, or with rspamd
    seed        the rows of SMTPy's directory
    throughput  many messages at once
    latency     one message at a time
    report      medians and ratios
    words       the report as people read it
    visits      which stacks, which loads, in rounds
    crypto      signatures alone: `python -m bench crypto`
"""
