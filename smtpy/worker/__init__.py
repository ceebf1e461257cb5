"""What is to be done from time to time, by one process on one of the hosts: checks of DNS, and the life of keys."""
