"""Numbers, tables, curves and maps as text, for the screens and the command line. No Textual here."""
