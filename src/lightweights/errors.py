"""The one kind of error that a user is meant to see."""


class LightweightsError(Exception):
    """Something the user can put right. The message names the setting or file, the value found, and the remedy.

    The command line prints it as one paragraph, without a traceback.
    """
