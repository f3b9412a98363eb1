"""The email of one offer: its look, its text, its headers, and the checks it must pass before it leaves."""
