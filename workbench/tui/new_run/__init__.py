"""The form for a new run or sweep."""
