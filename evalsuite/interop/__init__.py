"""Other tools' files: read, checked, and summed up by their makers' rules or by evalsuite's own."""
