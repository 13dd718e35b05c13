"""What can be observed and commanded: the twin, a serial radio, rosbridge."""
