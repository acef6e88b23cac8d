"""Exports: model folders, tables of runs, repositories on the hub."""
