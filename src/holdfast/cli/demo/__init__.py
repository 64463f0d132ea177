"""A shop to look around in: products, prices, stock and pictures, all made up."""
