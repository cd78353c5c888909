"""The one visual language of all pages, and what every page and answer has in common.

`README.md` in this folder shows the components; `install` puts all of it on an application.
"""
