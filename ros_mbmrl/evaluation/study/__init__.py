"""Chapter 9 of the thesis as frozen descriptions: trained, run, compared, drawn by one command."""
