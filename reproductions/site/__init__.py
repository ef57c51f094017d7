"""The static site: everything that is recorded, as pages that need no network."""
