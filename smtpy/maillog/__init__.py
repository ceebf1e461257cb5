"""Postfix's log, read: octets to lines, lines to events. Knows no file and no clock."""
