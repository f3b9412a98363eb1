"""Push, SMS and in-app messages of one offer: composed of reviewed texts, measured, and held to their own clauses.

These are delivery channels. The `channel` of an offer's terms (any, online_only, in_store_only) is where purchases
count, and has nothing to do with them.
"""
