"""`smtpy lookup`: Postfix asks what an address or a domain stands for, by socketmap (socketmap_table(5))."""
