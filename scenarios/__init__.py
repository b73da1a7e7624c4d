"""What a scenario is: schema, population, journey, arrivals, faults, objectives."""
