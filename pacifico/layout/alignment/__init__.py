"""Road alignment: horizontal curves that vehicles can drive, and grade lines with least earthwork."""
