"""Bytes on the wires: formats, pure, and the serial line that carries them."""
