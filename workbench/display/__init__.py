"""Numbers, tables, curves and maps as text, under both faces: no Textual here."""
