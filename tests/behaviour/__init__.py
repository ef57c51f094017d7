"""What each network of the suite did before its code was rewritten: `store` made the file, test_networks.py reads it."""
