"""The DNS records a domain must publish, and what is wrong with those it does."""
