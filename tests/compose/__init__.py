"""./dev compose-test: real containers under load, killed and cut off, and the account of every message."""
