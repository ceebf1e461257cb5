"""`smtpy worker`: what has to be done from time to time."""
