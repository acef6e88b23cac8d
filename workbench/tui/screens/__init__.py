"""One file per screen, each with the .tcss of the same name."""
