"""The synthetic customers: names, ID numbers, phones, bank cards, pictures, and their typos."""

from scenarios.population.people import Population
from scenarios.population.validity import check

__all__ = ["Population", "check"]
