"""What people have declared about their addresses, and how one address is resolved. Asks; never opens a database."""
