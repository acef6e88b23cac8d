"""One run as a detached process: starts and stops it, records its events, notices its death."""
