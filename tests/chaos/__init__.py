"""./dev chaos: real processes under load, killed and hindered by a seed, and the account of every
message from the clients' journals and the tables alone."""
