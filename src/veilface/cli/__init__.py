"""The command line: one module a command, each a thin layer over `veilface.pipeline`.

Nothing heavy is imported before a command runs, so that help and mistakes answer at once.
"""
