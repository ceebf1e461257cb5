"""How the schema came to be, step by step, both ways; run by smtpy.store.migrate."""
