"""Customers drawn a second on one core, against plain Faker in the same run.

    python -m benchmarks.population

Faker draws less (name, ID number, phone: no card, nothing unique or repeatable by number), so the
ratio flatters it.
"""

from __future__ import annotations

from statistics import median
from time import process_time

from faker import Faker

from benchmarks.result import report
from scenarios.keyed import Keyed
from scenarios.population import Population
from scenarios.population.images import KINDS, image_size, render
from scenarios.schema import Population as Spec

CUSTOMERS = 100_000
FAKED = 5_000
PICTURES = 3_000
ROUNDS = 5
WANTED = 20_000


def customers_per_second(population: Population, first: int) -> float:
    """Customers in one second of processor time."""
    started = process_time()
    for n in range(first, first + CUSTOMERS):
        population.customer(n)
    return CUSTOMERS / (process_time() - started)


def faked_per_second(faker: Faker) -> float:
    """Name, ID number and phone by Faker, in one second of processor time."""
    started = process_time()
    for _ in range(FAKED):
        faker.name()
        faker.ssn()
        faker.phone_number()
    return FAKED / (process_time() - started)


def pictures_per_second(population: Population, keyed: Keyed) -> float:
    """Rendered pictures of 50 to 300 KB in one second of processor time."""
    customers = [population.customer(n) for n in range(PICTURES)]
    started = process_time()
    for customer in customers:
        kind = KINDS[customer.number % len(KINDS)]
        render(customer, kind, image_size(keyed.words("image", customer.number)[0]))
    return PICTURES / (process_time() - started)


def main() -> None:
    """Print the medians of interleaved rounds."""
    started = process_time()
    population = Population(Spec(), seed=1)
    population.customer(0)
    ready = process_time() - started
    faker = Faker("zh_CN")
    ours, theirs, pictures = [], [], []
    for number in range(ROUNDS):
        ours.append(customers_per_second(population, number * CUSTOMERS))
        theirs.append(faked_per_second(faker))
        pictures.append(pictures_per_second(population, Keyed(number)))
    report(
        "population_customers_per_second_against_faker",
        median(ours) / median(theirs),
        customers_per_second=round(median(ours)),
        wanted_per_second=WANTED,
        faker_per_second=round(median(theirs)),
        pictures_per_second=round(median(pictures)),
        ready_seconds=round(ready, 2),
    )


if __name__ == "__main__":
    main()
