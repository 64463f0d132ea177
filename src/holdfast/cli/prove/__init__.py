"""``holdfast prove``: does the shop keep its promises while it is being killed?

``command`` runs the proof, over an ``instance`` that ``blows`` hits while ``clients``
buy from it. They are a process of their own, so nothing is imported here. What they
were told (``history``) is held by ``judging`` and ``levels`` against what ``evidence``
reads of the books.
"""
