"""One way to ask DNS for all checks."""
