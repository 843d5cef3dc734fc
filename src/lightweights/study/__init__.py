"""From settings to runs, from runs to tables and figures. The only part, with the command line, that writes files."""
