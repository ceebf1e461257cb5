"""The milter: one decision per message, at end-of-message, applied to Postfix's queue file (Postfix MILTER_README)."""
