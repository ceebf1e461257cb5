"""The mail SMTPy writes itself: `letters` what is said, `message` how it looks (RFC 5322), `post` how it leaves."""
