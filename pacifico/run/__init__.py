"""One notebook run, truthfully recorded."""
