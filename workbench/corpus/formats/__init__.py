"""Files that are more than lines and tables: each module gives the texts of one kind."""
