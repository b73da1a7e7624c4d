"""The bank, SMS and payment gateways and the reference lender, as models and as servers."""
