"""Out of the workbench: model folders, tables of runs, repositories on the hub."""
