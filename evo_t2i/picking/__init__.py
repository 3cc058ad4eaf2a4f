"""From a front of pictures to the one, or the few, that a person takes."""
