"""How a customer binds a card: a generator of directives, the same for both clocks."""
