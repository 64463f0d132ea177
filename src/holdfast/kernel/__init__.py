"""Words that every module uses: money, ids, clocks, pages and kinds of error.

Pure: the standard library only, no I/O. The two places where the process looks
at the world (the clocks and the random bits of an id) are one line each.
"""
