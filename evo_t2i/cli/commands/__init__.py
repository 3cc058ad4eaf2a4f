"""The commands: one file each, which parses, configures, makes one call and prints."""
