"""The DNS records a domain must publish, and what is to be said of those that are found. Asks a `Dns` handed in."""
