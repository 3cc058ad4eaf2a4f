"""Searches to compare with: what others do to the initial noise, under this package's protocol.

Each keeps the same archive of all non-dominated points. Those that follow one number follow the
mean of the scores as z against generation 0. Importing the package itself loads nothing.
"""
