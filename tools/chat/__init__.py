"""The chat model: one client, one owner of retries, one persistent cache of completions."""
