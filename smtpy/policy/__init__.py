"""`smtpy policy`: Postfix asks whether a recipient may be taken, by policy delegation (SMTPD_POLICY_README)."""
