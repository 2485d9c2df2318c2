"""The built book and a real JupyterLab, in Chromium."""
