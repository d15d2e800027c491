"""The templates, styles and scripts of the interactive pages; a package, so that they are installed with it."""
