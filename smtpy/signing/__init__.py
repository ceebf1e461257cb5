"""DKIM and ARC: read, verify, sign, seal. One canonical form, one hash of the body, keys loaded once."""
