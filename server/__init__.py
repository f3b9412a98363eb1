"""How people and programs reach the graph: HTTP, LangServe and the command line."""
