"""Authors (year): title. Venue."""
