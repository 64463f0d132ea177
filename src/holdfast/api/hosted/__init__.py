"""The pages people sign in on: server-rendered, without script, each with its guards.

A page is a form that a browser fills in. ``frame`` writes pages and their headers,
``visit`` knows what a browser brought along (cookies, the form's token, where to go
afterwards), and the other files are one part of the way each.
"""
