"""One run, watched while it trains and read afterwards."""
