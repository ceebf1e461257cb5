"""Backups: database, settings and secrets in one encrypted file, and a new machine filled from it.

The file is age's (age-encryption.org/v1), of a gzipped tar: with the key it can be opened without SMTPy, by
`age -d -i KEY FILE | tar tz`. Whoever makes a backup has the public half of the key alone, so that neither this machine
nor wherever its backups lie can open them.
"""
