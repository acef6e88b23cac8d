"""A run's journal: everything its worker reports, one JSON line each, in files in the run's folder."""
