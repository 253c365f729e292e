"""Read site boundaries and exclusions from files and services, checked and repaired."""
