"""The study of asynchronous learning: thesis, section 8.4, figures 24 to 27."""
