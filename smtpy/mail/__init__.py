"""The nouns of RFC 5321 and RFC 5322. Imports nothing else of SMTPy, touches no socket, clock or file."""
