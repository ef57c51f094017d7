"""What each network did before its code was rewritten: `store` made the file, test_networks.py reads it."""
