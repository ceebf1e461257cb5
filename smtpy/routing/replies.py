"""What a client hears of a message as a whole, or of its size; directory/resolve.py has what it hears of an address."""

from smtpy.mail.reply import Reply

TOO_MANY_HOPS = Reply(554, "5.4.6", "Too many hops, the message goes round in a circle")
MAIL_LOOP = Reply(554, "5.4.6", "This message has been through this address before")
TOO_MANY_FIELDS = Reply(552, "5.3.4", "The message has too many header fields")
MANY_AUTHORS = Reply(554, "5.6.0", "The message has more than one From field, or authors of several domains in it")
TOO_LARGE = Reply(552, "5.3.4", "The message is larger than this address takes")
DISOWNED = Reply(550, "5.7.26", "The domain in From does not vouch for this message (DMARC)")
DOUBTFUL = Reply(550, "5.6.0", "From names nobody for certain")
UNSURE = Reply(451, "4.7.0", "DNS does not tell now whether this is from the domain in From, try again later")
CHANGED_MEANWHILE = Reply(451, "4.2.1", "A recipient has been switched off meanwhile, try again")
NOT_A_COPY = Reply(451, "4.3.5", "Internal address expected")
