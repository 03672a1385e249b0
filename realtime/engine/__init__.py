"""Engine packages made to run: the only door to the inference libraries, each of which has a module in `backends`."""
