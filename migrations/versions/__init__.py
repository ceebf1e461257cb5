"""One module a step; the names begin with the number of the step."""
