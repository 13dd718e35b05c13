"""Wire formats as pure functions, and the serial line that carries them."""
