"""Learning while the robot works: thesis, chapter 8 (Algorithms 6 to 8)."""
