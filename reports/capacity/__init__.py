"""How much a scenario's world can carry: the search, the figures, the models, the page."""
