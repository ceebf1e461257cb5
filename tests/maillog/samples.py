"""Lines as Postfix 3.7.11 wrote them, host and process ids as they were."""

FIRST, SECOND = "4jb9yY453jzJLfF", "4jb9yY4qFTzJLfT"
RELAY = "127.0.0.1[127.0.0.1]:42459"


def line(text: str, program: str = "smtp", stamp: str = "Nov 26 22:22:13") -> bytes:
    """A whole line, without its end."""
    return f"{stamp} mx postfix/{program}[17848]: {text}".encode()


REAL = f"""\
Nov 26 22:21:55 mx postfix/master[17775]: daemon started -- version 3.7.11, configuration /tmp/x/postfix/etc
Nov 26 22:22:13 mx postfix/smtpd[17850]: connect from unknown[127.0.0.2]
Nov 26 22:22:13 mx postfix/smtpd[17850]: {FIRST}: client=unknown[127.0.0.2]
Nov 26 22:22:13 mx postfix/cleanup[17845]: {FIRST}: message-id=<one@x.example>
Nov 26 22:22:13 mx postfix/qmgr[17777]: {FIRST}: from=<a@sender.example>, size=264, nrcpt=9 (queue active)
Nov 26 22:22:13 mx postfix/smtpd[17850]: disconnect from unknown[127.0.0.2] ehlo=1 mail=1 rcpt=4 data=1 quit=1 \
commands=8
Nov 26 22:22:13 mx postfix/discard[17859]: {FIRST}: to=<drop@drop.invalid>, relay=none, delay=0.07, \
delays=0.05/0.02/0/0, dsn=2.0.0, status=sent (dropped by its owner's choice)
Nov 26 22:22:13 mx postfix/split/smtpd[17863]: {SECOND}: client=unknown[127.0.0.1], orig_queue_id={FIRST}, \
orig_client=unknown[127.0.0.2]
Nov 26 22:22:13 mx postfix/split/smtp[17860]: {FIRST}: to=<sales=our.example@split.invalid>, \
relay=127.0.0.1[127.0.0.1]:34383, delay=0.12, delays=0.05/0.03/0.01/0.03, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued \
as {SECOND})
Nov 26 22:22:13 mx postfix/smtp[17848]: {SECOND}: to=<ann@inbox.example>, orig_to=<sales@our.example>, relay={RELAY}, \
conn_use=3, delay=0.04, delays=0.03/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: kept)
Nov 26 22:22:13 mx postfix/smtp[17851]: {SECOND}: to=<later@inbox.example>, relay={RELAY}, delay=0.04, \
delays=0.01/0.02/0/0.01, dsn=4.2.0, status=deferred (host 127.0.0.1[127.0.0.1] said: 450-4.2.0 line one status=sent \
(250 ok) 450 4.2.0 to=<x@y.example>, relay=none, status=sent (évil) (in reply to RCPT TO command))
Nov 26 22:22:13 mx postfix/bounce[17853]: {SECOND}: sender non-delivery notification: 4jb9yY4vNqzJLfX
Nov 26 22:22:13 mx postfix/qmgr[17777]: {SECOND}: removed
Nov 26 22:22:13 mx postfix/cleanup[17855]: {SECOND}: milter-reject: END-OF-MESSAGE from unknown[127.0.0.2]: 5.6.0 The \
message has more than one From field; from=<a@sender.example> to=<sales@our.example> proto=ESMTP helo=<client.example>
Nov 26 22:22:13 mx postfix/smtpd[17842]: NOQUEUE: reject: RCPT from unknown[127.0.0.2]: 550 5.2.1 <off@our.example>: \
Recipient address rejected: This address is switched off; from=<a@sender.example> to=<off@our.example> proto=ESMTP \
helo=<client.example>
Nov 26 22:22:13 mx postfix/smtpd[17850]: NOQUEUE: reject: RCPT from unknown[127.0.0.2]: 550 5.1.1 <a, relay=x> \
status=sent @our.example>: Recipient address rejected: No such address here; from=<a@sender.example> to=<"a, relay=x> \
status=sent "@our.example> proto=ESMTP helo=<he]:?ABC:?to=?x??status=sent>
Nov 26 22:22:15 mx postfix/postsuper[17872]: {SECOND}: placed on hold
Nov 26 22:22:15 mx postfix/postsuper[17872]: Placed on hold: 1 message
Nov 26 22:22:16 mx postfix/postsuper[17873]: {SECOND}: released from hold
Nov 26 22:22:18 mx postfix/postsuper[17902]: {SECOND}: requeued
Nov 26 22:22:20 mx postfix/pickup[17776]: 4jb9yh5PcWzJLfh: uid=102 from=<SRS0=x=JP=s.example=a@our.example> \
orig_id={SECOND}
Nov 26 22:22:23 mx postfix/postsuper[17908]: {FIRST}: removed
Nov 26 22:22:24 mx postfix/qmgr[17777]: {FIRST}: from=<SRS0=x=JP=s.example=a@our.example>, status=force-expired, \
returned to sender
Nov 26 22:22:28 mx postfix/qmgr[17926]: {SECOND}: from=<>, status=expired, returned to sender
Nov 26 22:22:28 mx postfix/smtp[17929]: connect to 127.0.0.1[127.0.0.1]:42459: Connection refused
Nov 26 22:22:28 mx postfix/smtp[17929]: {SECOND}: to=<a@sender.example>, orig_to=<SRS0=x=JP=s.example=a@our.example>, \
relay=none, delay=3.7, delays=3.7/0.02/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:42459: \
Connection refused)
Nov 26 22:22:30 mx postfix/cleanup[17930]: {FIRST}: milter-hold: END-OF-MESSAGE from unknown[127.0.0.2]: milter \
triggers HOLD action; from=<a@sender.example> to=<sales@our.example> proto=ESMTP helo=<client.example>
"""
