"""What every paper shares. Nothing here knows a paper or a data set."""
