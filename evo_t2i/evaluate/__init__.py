"""Latents → images → features → scores.

``models`` loads the networks, once for any number of captions; ``scorer`` goes from images to
scores, tensors in and out; ``microbatches`` cuts work into what the device's memory holds;
``evaluator`` owns one of each for a caption. Importing the package itself loads nothing.
"""
