"""The interactive map in JupyterLab."""
