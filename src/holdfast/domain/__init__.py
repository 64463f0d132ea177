"""The parts of the business, which do not know each other."""
