"""What arrived, and who vouches for it: SPF, DKIM, DMARC, ARC, and the Authentication-Results field."""
