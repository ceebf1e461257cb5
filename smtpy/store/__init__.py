"""All SQL of the mail path: the tables, the engine, the directory's answers, the journal. Importing has no effect."""
