"""Live view: the graph's messages, a scene and figures for a browser, over a web socket."""
