"""Pictures about a run: the scatter matrix of its scores and the sheets of its images."""
