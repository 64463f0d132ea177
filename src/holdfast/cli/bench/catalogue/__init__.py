"""``holdfast bench catalogue``: what a catalogue costs as it grows.

The same questions are put to shops of 2,000 to 1,000,000 variants, each a fresh one of
its own: a product by its handle, a page, a search with facets, suggestions, a page deep
in the list; and then a file of products is taken in while others go on reading. Exits
with 1 when a target is missed, with 2 when something could not be measured.
"""
