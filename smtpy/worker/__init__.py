"""What is to be done besides the mail: by one process of all hosts checks of DNS and the life of keys, from time to
time; on each host the following of Postfix's log."""
