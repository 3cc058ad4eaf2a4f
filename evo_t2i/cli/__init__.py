"""The command line: `commands/` a file each, `terminal/` what people see of a run going on."""
